-- Idempotency keys: digests only. A key is a customer's own text and could say anything.
set local role onevault_owner;

create table ops.idempotency_key (
    key_digest bytea not null,
    customer_hk bytea not null,
    tenant_hk bytea not null,
    body_digest bytea not null,
    api_request_hk bytea,
    expires_at timestamptz not null,
    primary key (key_digest, customer_hk),
    constraint digests_are_256_bits check (octet_length(key_digest) = 32 and octet_length(body_digest) = 32)
) with (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

create index idempotency_key_by_end on ops.idempotency_key (expires_at);

alter table ops.idempotency_key enable row level security, force row level security;
create policy owner_sees_all on ops.idempotency_key to onevault_owner using (true);

comment on table ops.idempotency_key is
'Keys under which customers may send a call again for 24 hours: keyed digests of key and body, and the request.';
comment on column ops.idempotency_key.api_request_hk is 'The request that was routed under this key.';
