-- What PostgreSQL would write about a failed or slow statement of a service, values included, it does not write at all:
-- services log the class of their errors themselves. Only a superuser may say so; where another user migrates, the
-- doctor tells what is missing.
do $$
declare
    v_setting record;
begin
    for v_setting in
        select r.role_name, s.name, s.value
        from (
            values
            ('log_parameter_max_length', '0', '{onevault_app,onevault_worker,onevault_dba}'::text[]),
            ('log_parameter_max_length_on_error', '0', '{onevault_app,onevault_worker,onevault_dba}'),
            ('log_min_messages', 'fatal', '{onevault_app,onevault_worker}'),
            ('log_min_error_statement', 'panic', '{onevault_app,onevault_worker}'),
            ('log_error_verbosity', 'terse', '{onevault_app,onevault_worker}'),
            ('log_statement', 'none', '{onevault_app,onevault_worker}'),
            ('log_duration', 'off', '{onevault_app,onevault_worker}'),
            ('log_min_duration_statement', '-1', '{onevault_app,onevault_worker}'),
            ('log_min_duration_sample', '-1', '{onevault_app,onevault_worker}'),
            ('log_transaction_sample_rate', '0', '{onevault_app,onevault_worker}')
        ) as s (name, value, role_names)
        cross join lateral unnest(s.role_names) as r (role_name)
    loop
        execute format('alter role %I set %I = %L', v_setting.role_name, v_setting.name, v_setting.value);
    end loop;
exception
    when insufficient_privilege then null;
end
$$;
