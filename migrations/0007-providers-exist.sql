set local role onevault_owner;

create table gateway.ai_provider_h (
    provider_hk bytea primary key,
    provider_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    constraint provider_bk_has_no_slash check (provider_bk ~ '^[^/\s]+$')
);

create table gateway.ai_provider_s (
    provider_hk bytea not null references gateway.ai_provider_h (provider_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    provider_name varchar(100) not null,
    api_endpoint text not null,
    models_available text[],
    cost_per_1k_tokens numeric(20, 10),
    max_tokens_per_request integer,
    requests_per_minute_limit integer,
    current_latency_ms integer,
    current_availability_percent numeric(5, 2),
    quality_score numeric(5, 2),
    is_active boolean not null default true,
    adapter_kind varchar(30) not null default 'openai',
    adapter_settings jsonb not null default '{}',
    compliance_levels text[] not null default '{}',
    first_byte_timeout_ms integer not null default 60000,
    needs_key boolean not null default true,
    record_source varchar(100) not null,
    primary key (provider_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint api_endpoint_is_http check (api_endpoint ~ '^(https?://|in-process$)'),
    constraint limits_are_positive check (
        max_tokens_per_request > 0 and requests_per_minute_limit > 0 and first_byte_timeout_ms > 0
    ),
    constraint adapter_settings_is_an_object check (jsonb_typeof(adapter_settings) = 'object')
);

create unique index ai_provider_s_has_one_current_row on gateway.ai_provider_s (provider_hk)
where load_end_date is null;

-- The house's own keys at providers; several a provider.
create table gateway.ai_provider_key_h (
    provider_key_hk bytea primary key,
    provider_key_bk varchar(255) not null unique,
    provider_hk bytea not null references gateway.ai_provider_h (provider_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create index ai_provider_key_h_by_provider on gateway.ai_provider_key_h (provider_hk);

create table gateway.ai_provider_key_s (
    provider_key_hk bytea not null references gateway.ai_provider_key_h (provider_key_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    key_name varchar(100) not null,
    key_fingerprint bytea not null,
    api_key_encrypted bytea not null,
    encryption_key_id varchar(100) not null,
    key_status varchar(20) not null default 'ACTIVE',
    last_validated timestamptz,
    record_source varchar(100) not null,
    primary key (provider_key_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint key_status_is_known check (key_status in ('ACTIVE', 'REVOKED', 'EXPIRED'))
);

create unique index ai_provider_key_s_has_one_current_row on gateway.ai_provider_key_s (provider_key_hk)
where load_end_date is null;

-- Keys that customers bring along.
create table gateway.customer_provider_keys_h (
    customer_provider_key_hk bytea primary key,
    customer_provider_key_bk varchar(255) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    provider_hk bytea not null references gateway.ai_provider_h (provider_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create index customer_provider_keys_h_by_customer on gateway.customer_provider_keys_h (customer_hk);

create table gateway.customer_provider_keys_s (
    customer_provider_key_hk bytea not null
    references gateway.customer_provider_keys_h (customer_provider_key_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    key_fingerprint bytea not null,
    api_key_encrypted bytea not null,
    encryption_key_id varchar(100) not null,
    key_status varchar(20) not null default 'ACTIVE',
    daily_spending_limit numeric(20, 10),
    monthly_spending_limit numeric(20, 10),
    allowed_models text[],
    last_validated timestamptz,
    record_source varchar(100) not null,
    primary key (customer_provider_key_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint key_status_is_known check (key_status in ('ACTIVE', 'REVOKED', 'EXPIRED')),
    constraint limits_are_not_negative check (daily_spending_limit >= 0 and monthly_spending_limit >= 0)
);

create unique index customer_provider_keys_s_has_one_current_row
on gateway.customer_provider_keys_s (customer_provider_key_hk)
where load_end_date is null;

comment on table gateway.ai_provider_h is 'Hub: an AI provider.';
comment on column gateway.ai_provider_s.cost_per_1k_tokens is
'Headline only; what is billed are the rows of offer_price_s.';
comment on column gateway.ai_provider_s.adapter_kind is
'Which adapter of the worker speaks to it: openai, sandbox.';
comment on column gateway.ai_provider_s.adapter_settings is 'Quirks as data, handed to the adapter.';
