-- Hot state of the road: what routing reads (principal, offer, rule) and what it moves (scope_state, reservation).
-- All of it can be rebuilt from the vault by ops.fn_rebuild_hot_state().
set local role onevault_owner;

create table ops.principal (
    token_digest bytea primary key,
    token_hk bytea not null unique,
    token_bk text not null,
    token_name text not null,
    token_status text not null,
    expires_at timestamptz,
    scopes text[] not null,
    customer_hk bytea not null,
    customer_bk text not null,
    tenant_hk bytea not null,
    tenant_bk text not null,
    is_active boolean not null,
    time_zone text not null,
    priority_tier text not null,
    address_policy text not null,
    markup_percent numeric not null,
    compliance_levels text[] not null,
    preferred_providers text[],
    allowed_models text[],
    requests_per_minute integer not null,
    daily_budget_usd numeric,
    monthly_budget_usd numeric,
    token_requests_per_minute integer,
    token_daily_budget_usd numeric,
    token_monthly_budget_usd numeric,
    token_is_limited boolean not null generated always as (
        token_requests_per_minute is not null or token_daily_budget_usd is not null
        or token_monthly_budget_usd is not null
    ) stored
);

create index principal_by_customer on ops.principal (customer_hk);

create table ops.offer (
    offer_hk bytea not null,
    valid_from timestamptz not null,
    valid_to timestamptz not null,
    provider_hk bytea not null,
    provider_bk text not null,
    model_hk bytea not null,
    model_bk text collate "C" not null,
    adapter_kind text not null,
    api_endpoint text not null,
    adapter_settings jsonb not null,
    first_byte_timeout_ms integer not null,
    upstream_model text not null,
    capabilities text[] not null,
    features text[] not null,
    context_tokens integer not null,
    max_output_tokens integer not null,
    default_output_tokens integer not null,
    quality_score numeric,
    compliance_levels text[] not null,
    provider_key_hk bytea,
    input_usd_per_million numeric,
    cache_read_usd_per_million numeric,
    cache_write_usd_per_million numeric,
    output_usd_per_million numeric,
    is_sandbox boolean not null,
    unroutable_because text,
    candidate jsonb not null,
    prices jsonb not null,
    primary key (offer_hk, valid_from)
);

create index offer_routable_by_model on ops.offer (model_bk) where unroutable_because is null;
create index offer_by_model on ops.offer (model_bk);
create index offer_by_provider on ops.offer (provider_bk);

create table ops.rule (
    routing_rule_hk bytea primary key,
    rule_name text not null,
    rule_priority integer not null,
    condition_path jsonpath,
    target_provider text,
    target_model text,
    cost_optimization boolean not null,
    latency_optimization boolean not null,
    quality_optimization boolean not null,
    compliance_requirements text[] not null,
    max_attempts smallint not null
);

create index rule_in_order on ops.rule (rule_priority, rule_name);

create table ops.offer_health (
    offer_hk bytea primary key,
    consecutive_failures integer not null default 0,
    last_error_class text,
    last_failed_at timestamptz,
    rests_until timestamptz
) with (fillfactor = 50);

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

create table ops.job (
    job_name text primary key,
    every interval not null,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_error text,
    is_active boolean not null default true,
    constraint every_is_positive check (every > interval '0')
);

create table ops.usage_hourly (
    customer_hk bytea not null,
    usage_hour timestamptz not null,
    tenant_hk bytea not null,
    token_hk bytea not null,
    offer_hk bytea not null,
    request_type text not null,
    response_status text not null,
    request_count bigint not null,
    input_uncached_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_tokens bigint not null,
    output_tokens bigint not null,
    reasoning_tokens bigint not null,
    provider_cost_usd numeric not null,
    markup_usd numeric not null,
    customer_cost_usd numeric not null,
    latency_ms_sum bigint not null,
    first_byte_ms_sum bigint not null,
    primary key (customer_hk, usage_hour, token_hk, offer_hk, request_type, response_status)
);

create index usage_hourly_by_hour on ops.usage_hourly (usage_hour);

create table ops.watermark (
    rollup_name text primary key,
    rolled_up_to timestamptz not null
);

-- What routing may know about a call: sizes and switches, never its words.
create type gateway.request_features as (
    ticket text,
    surface text,
    capability text,
    request_type text,
    priority text,
    model text,
    stream boolean,
    tools boolean,
    vision boolean,
    structured boolean,
    prompt_bytes bigint,
    images integer,
    messages integer,
    max_output_tokens integer,
    choices integer,
    max_cost numeric,
    metadata jsonb,
    client_ip text,
    user_agent text,
    timeout_ms integer
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

create type gateway.route_decision as (
    status text,
    http_status integer,
    request_id text,
    queue text,
    msg_id bigint,
    provider text,
    model text,
    route_reason text,
    customer text,
    rate_limit integer,
    rate_remaining integer,
    rate_reset_ms bigint,
    retry_after_ms bigint,
    deadline_ms bigint,
    message text,
    detail text
);

comment on table ops.principal is
'Who a token speaks for, flattened: one look-up authenticates and brings every limit.';
comment on table ops.offer is
'Offers with their prices, a row a period of prices; unroutable_because says why one is left out.';
comment on column ops.offer.candidate is 'What a worker is told of the offer when it is a candidate.';
comment on column ops.offer.prices is 'What booking needs of the offer; pinned in the reservation.';
comment on table ops.scope_state is
'Budget windows and rate bucket of one scope in one wide row: one lock, one conditional update.';
comment on column ops.scope_state.day_ceiling_usd is
'The limit at the last admission. Kept beside the sums, so a check can hold it after the limit was lowered.';
comment on column ops.scope_state.rate_full_at_us is 'GCRA: theoretical arrival time in microseconds since 1970.';
comment on table ops.reservation is
'A request under way: what is held for it and what settling needs. Gone when settled.';
comment on table ops.dead_message is 'Messages read five times without a result; ids only, never content.';
comment on table ops.job is
'The clocked work: what, how often, last run. Workers tick it, an advisory lock lets one run.';
comment on type gateway.request_features is 'A call as routing sees it: sizes and switches, never content.';
comment on type gateway.priced_attempt is
'Usage of an attempt in disjoint buckets, with the prices applied and their sum.';
comment on type gateway.route_decision is
'What sp_route_request answers: routed, or a refusal ready to be told to the customer.';
