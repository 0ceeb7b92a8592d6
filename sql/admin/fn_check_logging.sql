-- For "onevault doctor": whether sessions of the services keep values out of PostgreSQL's log. The settings are made by
-- a migration, where a superuser ran it.
create or replace function admin.fn_check_logging()
returns table (check_name text, is_ok boolean, finding text, remedy text)
language plpgsql
stable
set search_path = ''
as $$
begin
    return query
    with wanted as (
        select r.role_name, s.name, s.value
        from (
            values
            ('log_parameter_max_length', '0'), ('log_parameter_max_length_on_error', '0'),
            ('log_min_messages', 'fatal'), ('log_min_error_statement', 'panic'), ('log_error_verbosity', 'terse'),
            ('log_statement', 'none'), ('log_duration', 'off'), ('log_min_duration_statement', '-1'),
            ('log_min_duration_sample', '-1'), ('log_transaction_sample_rate', '0')
        ) as s (name, value)
        cross join (values ('onevault_app'), ('onevault_worker')) as r (role_name)
    ),

    missing as (
        select w.role_name, w.name, w.value
        from wanted as w
        where not exists (
            select from pg_catalog.pg_db_role_setting as s
            inner join pg_catalog.pg_roles as r on s.setrole = r.oid
            left join pg_catalog.pg_database as d on s.setdatabase = d.oid
            where
                r.rolname = w.role_name and (s.setdatabase = 0 or d.datname = current_database())
                and w.name || '=' || w.value = any(s.setconfig)
        )
    )

    select
        'logging', count(*) = 0,
        case
            when count(*) = 0 then 'sessions of the services leave no value in the log'
            else format('%s settings are missing that keep values out of the log', count(*))
        end,
        'As a superuser: ' || coalesce(string_agg(
            format('alter role %I set %I = %L;', m.role_name, m.name, m.value), ' ' order by m.role_name, m.name
        ), 'run "onevault migrate".')
    from missing as m;
end
$$;

comment on function admin.fn_check_logging() is
'Whether the service roles have the settings that keep values out of PostgreSQL''s log; a row as of sp_check_house.';
