-- What routing and booking move: a wide row a scope, a row a call under way. Derived as well, apart from what is
-- under way.
set local role onevault_owner;

create table ops.scope_state (
    scope_hk bytea primary key,
    scope_kind text not null,
    customer_hk bytea not null,
    day_number integer not null default 0,
    day_spent_usd numeric not null default 0,
    day_held_usd numeric not null default 0,
    day_ceiling_usd numeric,
    month_number integer not null default 0,
    month_spent_usd numeric not null default 0,
    month_held_usd numeric not null default 0,
    month_ceiling_usd numeric,
    rate_full_at_us bigint not null default 0,
    constraint scope_kind_is_known check (scope_kind in ('tenant', 'customer', 'token')),
    constraint day_is_never_over_its_ceiling check (day_spent_usd + day_held_usd <= day_ceiling_usd),
    constraint month_is_never_over_its_ceiling check (month_spent_usd + month_held_usd <= month_ceiling_usd),
    constraint spent_and_held_are_not_negative check (
        day_spent_usd >= 0 and day_held_usd >= 0 and month_spent_usd >= 0 and month_held_usd >= 0
    )
) with (
    fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

create table ops.reservation (
    api_request_hk bytea not null,
    customer_hk bytea not null,
    tenant_hk bytea not null,
    token_hk bytea not null,
    token_is_limited boolean not null,
    reserved_at timestamptz not null,
    deadline timestamptz not null,
    queue_name text not null,
    msg_id bigint not null,
    held_usd numeric not null,
    markup_percent numeric not null,
    day_number integer not null,
    month_number integer not null,
    candidates jsonb not null,
    request jsonb not null,
    rule_hk bytea,
    route_reason text not null,
    compliance_flags text[],
    primary key (api_request_hk, customer_hk),
    constraint held_is_not_negative check (held_usd >= 0)
) with (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

create table ops.dead_message (
    queue_name text not null,
    msg_id bigint not null,
    read_ct integer not null,
    api_request_bk text,
    customer_hk bytea,
    enqueued_at timestamptz not null,
    died_at timestamptz not null default util.current_load_date(),
    primary key (queue_name, msg_id)
);

create type gateway.priced_attempt as (
    input_uncached bigint,
    cache_read bigint,
    cache_write bigint,
    output bigint,
    reasoning bigint,
    usage_source text,
    input_usd_per_million numeric,
    cache_read_usd_per_million numeric,
    cache_write_usd_per_million numeric,
    output_usd_per_million numeric,
    provider_cost numeric
);

comment on table ops.scope_state is
'Budget windows and rate bucket of one scope in one wide row: one lock, one conditional update.';
comment on column ops.scope_state.day_ceiling_usd is
'The limit at the last admission. Kept beside the sums, so a check can hold it after the limit was lowered.';
comment on column ops.scope_state.rate_full_at_us is 'GCRA: theoretical arrival time in microseconds since 1970.';
comment on table ops.reservation is
'A request under way: what is held for it and what settling needs. Gone when settled.';
comment on table ops.dead_message is 'Messages read five times without a result; ids only, never content.';
comment on type gateway.priced_attempt is
'Usage of an attempt in disjoint buckets, with the prices applied and their sum.';
