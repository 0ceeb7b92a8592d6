-- The end of a copy. First what holds nobody up; then only who books into that month waits, until the rows are counted:
-- as nothing is changed or deleted, as many are the same. What was booked meanwhile is brought, and the next run, whose
-- readers see it, goes on from there.
create or replace function ops.fn_finish_month(p_month text) returns text
language plpgsql
set search_path = ''
set lock_timeout = '3s'
as $$
declare
    v_copy text := p_month || '_ordered';
    v_booked bigint;
    v_copied bigint;
    v_brought bigint;
begin
    if not ops.fn_outlast_transactions(interval '0.3 seconds') then
        return 'waiting';
    end if;
    execute format('analyze gateway.%I', v_copy);
    perform brin_summarize_new_values(c.oid)
    from pg_catalog.pg_index as i
    inner join pg_catalog.pg_class as c on i.indexrelid = c.oid
    inner join pg_catalog.pg_am as a on c.relam = a.oid
    where i.indrelid = format('gateway.%I', v_copy)::regclass and a.amname = 'brin';
    execute format('lock table gateway.%I in share mode', p_month);
    execute format('select count(*) from gateway.%I', p_month) into v_booked;
    execute format('select count(*) from gateway.%I', v_copy) into v_copied;
    if v_booked = v_copied then
        return ops.fn_swap_month(p_month);
    end if;
    execute format(
        'insert into gateway.%1$I select s.* from gateway.%2$I as s where not exists (
            select from gateway.%1$I as c where c.api_request_hk = s.api_request_hk and c.customer_hk = s.customer_hk
        )', v_copy, p_month
    );
    get diagnostics v_brought = row_count;
    if v_copied + v_brought <> v_booked then
        raise exception using
            errcode = 'VG500', constraint = 'ordered_month_is_complete',
            message = format('%s has %s rows and its copy %s.', p_month, v_booked, v_copied + v_brought),
            hint = 'Rows of the month were removed while it was copied. ops.fn_drop_copies() lets it begin anew.';
    end if;
    return 'copied';
end
$$;

comment on function ops.fn_finish_month(text) is
'Has the copy of a month take its place when it is complete; returns what was done: ordered, copied, or waiting.';
