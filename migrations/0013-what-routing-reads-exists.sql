-- What routing reads: tokens, offers and rules, flattened and kept up by triggers on the vault, and the health of
-- offers. ops.fn_rebuild_hot_state() makes all of it anew.
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
    context_is_price_limit boolean not null,
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
comment on type gateway.request_features is 'A call as routing sees it: sizes and switches, never content.';
comment on type gateway.route_decision is
'What sp_route_request answers: routed, or a refusal ready to be told to the customer.';
