create or replace function gateway.fn_use_key(p_customer_hk bytea, p_pairs jsonb, p_request_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.idempotency_key as k set api_request_hk = p_request_hk
    from jsonb_array_elements(p_pairs) as g (pair)
    where k.key_digest = decode(g.pair ->> 0, 'hex') and k.customer_hk = p_customer_hk;
end
$$;

comment on function gateway.fn_use_key(bytea, jsonb, bytea) is
'Notes the request that was routed under an idempotency key.';
