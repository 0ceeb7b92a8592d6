-- Requests that nobody will end: those two minutes past their deadline, when no worker can still be at it, and those
-- whose message is gone from the queue. A worker that fell silent needs no sweeping: what it held shows again when its
-- hold lapses, and the next reader answers it or books what became of it.
create or replace function ops.fn_sweep_requests() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_request record;
    v_closed integer := 0;
begin
    for v_request in
        select r.api_request_hk, r.customer_hk, r.queue_name, r.msg_id
        from ops.reservation as r
        where
            r.deadline < clock_timestamp() - interval '2 minutes'
            or (
                r.reserved_at < clock_timestamp() - interval '1 minute'
                and gateway.fn_find_message(r.queue_name, r.msg_id) is null
            )
        order by r.tenant_hk, r.customer_hk
        limit 1000
    loop
        if v_closed = 0 then
            perform gateway.fn_lock_limits(null);
        end if;
        continue when not gateway.fn_drop_message(v_request.queue_name, v_request.msg_id);
        v_closed := v_closed + gateway.fn_close_request(v_request.api_request_hk, v_request.customer_hk)::integer;
    end loop;
    return v_closed;
end
$$;

comment on function ops.fn_sweep_requests() is
'Closes requests two minutes past their deadline or without a message, and gives back what they held; returns how
many.';
