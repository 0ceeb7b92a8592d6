-- Money that nobody will settle any more goes back: two minutes past the deadline no worker can still be at it.
create or replace function ops.fn_void_expired_reservations() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_expired record;
    v_voided integer := 0;
begin
    for v_expired in
        select r.api_request_hk, r.customer_hk, r.queue_name, r.msg_id
        from ops.reservation as r
        where r.deadline < clock_timestamp() - interval '2 minutes'
        order by r.tenant_hk, r.customer_hk
        limit 1000
    loop
        perform pgmq.delete(v_expired.queue_name, v_expired.msg_id);
        v_voided := v_voided + gateway.fn_void_request(v_expired.api_request_hk, v_expired.customer_hk)::integer;
    end loop;
    return v_voided;
end
$$;

comment on function ops.fn_void_expired_reservations() is
'Voids requests two minutes past their deadline and gives back what they held; returns how many.';
