-- Who reads a customer's month request by request reads few pages where his lie together. CLUSTER would shut everybody
-- out while it works; this copies a month that is over some rows at a time, and has the copy take its place when it is
-- complete. A run stopped at any moment costs that run. PostgreSQL's own mark of a clustered table says what is done.
-- A month without rows is left for whoever imports into it.
create or replace function ops.fn_order_months(
    p_rows integer default 20000, p_now timestamptz default clock_timestamp()
) returns text
language plpgsql
set search_path = ''
as $$
declare
    v_until timestamptz := clock_timestamp() + interval '0.4 seconds';
    v_month text;
    v_copied integer;
    v_left integer := p_rows;
begin
    -- Whatever is attached has the default partition searched for what belongs to it, while nobody gets in.
    if exists (select from gateway.api_request_s_default) then
        return null;
    end if;
    select c.relname into v_month
    from pg_catalog.pg_inherits as h
    inner join pg_catalog.pg_class as c on h.inhrelid = c.oid
    where
        h.inhparent = 'gateway.api_request_s'::regclass and c.relname ~ '^api_request_s_\d{4}_\d{2}$'
        and to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month 2 days' <= p_now at time zone 'UTC'
        and pg_relation_size(c.oid) > 0
        and not exists (
            select from pg_catalog.pg_index as i
            inner join pg_catalog.pg_class as n on i.indexrelid = n.oid
            where i.indrelid = c.oid and i.indisclustered and n.relname = ops.fn_find_order(c.oid::regclass)
        )
    order by c.relname
    limit 1;
    if v_month is null then
        return null;
    end if;
    if to_regclass(format('gateway.%I', v_month || '_ordered')) is null then
        perform ops.fn_begin_month(v_month);
    end if;
    loop
        v_copied := ops.fn_copy_month(v_month, least(v_left, 2000));
        v_left := v_left - v_copied;
        exit when v_copied = 0 or v_left <= 0 or clock_timestamp() > v_until;
    end loop;
    -- What this run has copied must be committed before it may take the month's place.
    if v_left < p_rows then
        return 'copied';
    end if;
    return ops.fn_finish_month(v_month);
exception
    when lock_not_available then
        return 'waiting';
    when disk_full then
        -- Bookings need the room, and it would be filled again.
        perform ops.fn_drop_copies();
        update ops.job as j set is_active = false, last_error = sqlstate where j.job_name = 'order months';
        return 'stopped';
end
$$;

comment on function ops.fn_order_months(integer, timestamptz) is
'Goes on putting the oldest month that has been over for two days into the order of its customers, by at most that many
rows; returns what was done: copied, ordered, waiting for somebody, or stopped, when the disk is full, which switches the
job off. Nothing when nothing is left.';
