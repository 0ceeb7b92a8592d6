-- Takes the idempotency keys of a batch, sorted, before any scope is touched: two batches then wait for each other in
-- one order only. Keys of the last 24 hours stay as they are, and are locked all the same.
create or replace function gateway.fn_lock_keys(p_batch jsonb, p_now timestamptz) returns void
language sql
set search_path = ''
begin atomic
    insert into ops.idempotency_key as k (key_digest, customer_hk, tenant_hk, body_digest, expires_at)
    select distinct on (p.tenant_hk, p.customer_hk, decode(g.pair ->> 0, 'hex'))
        decode(g.pair ->> 0, 'hex'), p.customer_hk, p.tenant_hk, decode(g.pair ->> 1, 'hex'),
        p_now + interval '24 hours'
    from jsonb_array_elements(p_batch) as b (call)
    inner join ops.principal as p on p.token_digest = decode(b.call ->> 'digest', 'hex')
    cross join lateral jsonb_array_elements(b.call -> 'idempotency') as g (pair)
    order by p.tenant_hk, p.customer_hk, decode(g.pair ->> 0, 'hex')
    on conflict (key_digest, customer_hk) do update set
        body_digest = excluded.body_digest, expires_at = excluded.expires_at, api_request_hk = null
    where k.expires_at <= p_now;
end;

comment on function gateway.fn_lock_keys(jsonb, timestamptz) is
'Takes or locks the idempotency keys of all calls of a batch; each call names its token''s digest and its pairs of
digests (key, body).';
