-- A copy begun before an upgrade may lack what the upgrade has added, so whoever installs drops it.
create or replace function ops.fn_drop_copies() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_name text;
    v_dropped integer := 0;
begin
    for v_name in
        select c.relname from pg_catalog.pg_class as c
        where
            c.relnamespace = 'gateway'::regnamespace and c.relkind = 'r' and not c.relispartition
            and c.relname ~ '^api_request_s_\d{4}_\d{2}_ordered$'
    loop
        execute format('drop table gateway.%I', v_name);
        v_dropped := v_dropped + 1;
    end loop;
    return v_dropped;
end
$$;

comment on function ops.fn_drop_copies() is
'Drops what "order months" has copied of a month that is not done, which then begins anew; returns how many copies.';
