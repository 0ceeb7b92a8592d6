create or replace function admin.fn_clean_time_zone(p_time_zone text) returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_name text;
begin
    if p_time_zone is null then
        return null;
    end if;
    select z.name into v_name
    from pg_catalog.pg_timezone_names as z
    where lower(z.name) = lower(btrim(p_time_zone));
    if v_name is null then
        perform admin.fn_refuse_change(
            400, 'time_zone_is_known', format('There is no time zone %s', quote_literal(p_time_zone)),
            'Use an IANA name like Europe/Berlin; pg_timezone_names lists them.'
        );
    end if;
    return v_name;
end
$$;

comment on function admin.fn_clean_time_zone(text) is 'A time zone by its IANA name; refuses an unknown one. NULL stays NULL.';
