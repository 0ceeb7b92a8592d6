-- What a snapshot does not see in a copy it would miss in the month: whoever was at work before its last rows were
-- committed must have ended. Asked without a lock, so that nobody waits for who does not end.
create or replace function ops.fn_outlast_transactions(p_patience interval) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_until timestamptz := clock_timestamp() + p_patience;
    v_running text[];
begin
    perform pg_stat_clear_snapshot();
    v_running := array(
        select l.virtualtransaction
        from pg_catalog.pg_locks as l
        inner join pg_catalog.pg_stat_activity as a on l.pid = a.pid
        where
            l.locktype = 'virtualxid' and l.granted and l.pid <> pg_backend_pid() and a.datname = current_database()
            and a.usesysid is not null
    );
    while exists (
        select from pg_catalog.pg_locks as l
        where l.locktype = 'virtualxid' and l.granted and l.virtualtransaction = any(v_running)
    ) loop
        if clock_timestamp() > v_until then
            return false;
        end if;
        perform pg_sleep(0.01);
    end loop;
    return true;
end
$$;

comment on function ops.fn_outlast_transactions(interval) is
'Waits until every transaction of this database that runs now has ended; false if one lasts longer than that.';
