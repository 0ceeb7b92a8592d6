-- High volume: written once, never updated, partitioned by key. The key is uuid_send(uuidv7()), so by time. No
-- foreign keys here: each would lock a shared row per request; a nightly check takes their place.
set local role onevault_owner;

create table gateway.api_request_h (
    api_request_hk bytea not null,
    api_request_bk varchar(255) not null,
    customer_hk bytea not null,
    provider_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    primary key (api_request_hk, customer_hk)
) partition by range (api_request_hk);

create table gateway.api_request_h_default partition of gateway.api_request_h default;

create table gateway.api_request_s (
    api_request_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    customer_hk bytea not null,
    tenant_hk bytea not null,
    token_hk bytea not null,
    provider_hk bytea not null,
    offer_hk bytea not null,
    request_timestamp timestamptz not null,
    request_type varchar(50) not null,
    capability varchar(20) not null,
    surface varchar(20) not null,
    is_streamed boolean not null,
    priority_tier varchar(20) not null,
    model_asked varchar(255),
    model_used varchar(255) not null,
    prompt_tokens bigint,
    completion_tokens bigint,
    total_tokens bigint,
    input_uncached_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    usage_source varchar(20),
    request_latency_ms integer,
    first_byte_ms integer,
    attempt_count smallint not null,
    reserved_cost numeric(20, 10) not null,
    provider_cost numeric(20, 10) not null,
    gateway_markup numeric(20, 10) not null,
    customer_cost numeric(20, 10) not null,
    house_loss numeric(20, 10) not null default 0,
    markup_percent numeric(9, 4) not null,
    route_reason varchar(100),
    rule_hk bytea,
    request_ip inet,
    user_agent text,
    response_status varchar(20) not null,
    error_class varchar(40),
    error_message text,
    compliance_flags text[],
    record_source varchar(100) not null,
    primary key (api_request_hk, customer_hk),
    constraint charge_is_at_most_what_was_reserved check (customer_cost <= reserved_cost),
    constraint cost_and_markup_make_the_charge check (provider_cost + gateway_markup = customer_cost),
    constraint charge_is_not_negative check (customer_cost >= 0 and provider_cost >= 0),
    constraint response_status_is_known check (
        response_status in ('SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED', 'VOIDED')
    )
) partition by range (api_request_hk);

create table gateway.api_request_s_default partition of gateway.api_request_s default;

create index api_request_s_by_customer on gateway.api_request_s (customer_hk, api_request_hk);
-- One BRIN for both times: when a request was booked (rollups) and when it came (reports).
create index api_request_s_by_time on gateway.api_request_s using brin (load_date, request_timestamp)
with (pages_per_range = 16, autosummarize = on);

create table gateway.api_request_attempt_s (
    api_request_hk bytea not null,
    customer_hk bytea not null,
    attempt_number smallint not null,
    load_date timestamptz not null default util.current_load_date(),
    hash_diff bytea not null,
    offer_hk bytea not null,
    provider_hk bytea not null,
    provider_key_hk bytea,
    outcome varchar(20) not null,
    error_class varchar(40),
    http_status smallint,
    latency_ms integer,
    first_byte_ms integer,
    output_bytes bigint not null default 0,
    finish_reason varchar(40),
    input_uncached_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    reasoning_tokens bigint,
    usage_source varchar(20),
    raw_usage jsonb,
    input_usd_per_million numeric(20, 10) not null,
    cache_read_usd_per_million numeric(20, 10) not null,
    cache_write_usd_per_million numeric(20, 10) not null,
    output_usd_per_million numeric(20, 10) not null,
    provider_cost numeric(20, 10) not null,
    is_charged boolean not null,
    record_source varchar(100) not null,
    primary key (api_request_hk, attempt_number, customer_hk),
    constraint attempt_number_is_positive check (attempt_number > 0),
    constraint outcome_is_known check (outcome in ('SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED')),
    constraint error_class_is_known check (error_class in (
        'bad_request', 'context_too_long', 'content_policy', 'auth_dead', 'money_dead', 'rate_limited', 'overloaded',
        'server_error', 'timeout', 'connect', 'truncated_stream', 'client_gone', 'front_gone', 'worker_lost'
    )),
    constraint usage_source_is_known check (
        usage_source in ('provider_final', 'provider_partial', 'estimated', 'reconciled')
    ),
    constraint raw_usage_holds_numbers_only check (util.fn_is_json_numbers(raw_usage))
) partition by range (api_request_hk);

create table gateway.api_request_attempt_s_default partition of gateway.api_request_attempt_s default;

create index api_request_attempt_s_by_time on gateway.api_request_attempt_s using brin (load_date)
with (pages_per_range = 16, autosummarize = on);

comment on table gateway.api_request_h is
'Hub: a request. Its key is its own id, uuid_send(uuidv7()), so keys rise with time; provider_hk is the provider
first chosen.';
comment on table gateway.api_request_s is
'Satellite: every fact about a settled request and never its content. One row a request, written once.';
comment on column gateway.api_request_s.prompt_tokens is 'All input tokens: uncached, cache read and cache write.';
comment on column gateway.api_request_s.house_loss is
'Cost above the reservation that the customer was not charged.';
comment on column gateway.api_request_s.error_message is
'A sentence of ours by error_class; never the provider''s text.';
comment on table gateway.api_request_attempt_s is
'Satellite, one row an attempt: provider, outcome, usage in disjoint buckets, and the prices that were applied.';
