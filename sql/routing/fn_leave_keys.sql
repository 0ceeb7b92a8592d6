-- A refused call leaves nothing behind, its keys included.
create or replace function gateway.fn_leave_keys(p_batch jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
    delete from ops.idempotency_key as k
    using
        jsonb_array_elements(p_batch) as b (call), ops.principal as p,
        jsonb_array_elements(b.call -> 'idempotency') as g (pair)
    where
        p.token_digest = decode(b.call ->> 'digest', 'hex') and k.customer_hk = p.customer_hk
        and k.key_digest = decode(g.pair ->> 0, 'hex') and k.api_request_hk is null;
end
$$;

comment on function gateway.fn_leave_keys(jsonb) is
'Removes those idempotency keys of a batch under which nothing was routed.';
