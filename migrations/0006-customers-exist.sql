set local role onevault_owner;

create table gateway.customer_h (
    customer_hk bytea primary key,
    customer_bk varchar(255) not null unique,
    tenant_hk bytea not null references auth.tenant_h (tenant_hk),
    customer_reference varchar(8) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    constraint customer_bk_is_not_blank check (btrim(customer_bk) <> ''),
    constraint customer_reference_is_base62 check (customer_reference ~ '^[0-9A-Za-z]{8}$')
);

create table gateway.customer_config_s (
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    api_key_encrypted bytea not null default '\x',
    preferred_providers text[],
    cost_budget_monthly numeric(20, 10),
    cost_budget_daily numeric(20, 10),
    compliance_level text,
    rate_limit_requests_per_minute integer,
    priority_tier varchar(20) not null default 'STANDARD',
    webhook_url text,
    markup_percent numeric(9, 4),
    allowed_models text[],
    is_active boolean not null default true,
    record_source varchar(100) not null,
    primary key (customer_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint budgets_are_not_negative check (cost_budget_monthly >= 0 and cost_budget_daily >= 0),
    constraint rate_limit_is_between_1_and_60_million check (rate_limit_requests_per_minute between 1 and 60000000),
    constraint priority_tier_is_known check (priority_tier in ('BASIC', 'STANDARD', 'PREMIUM')),
    constraint markup_percent_is_not_below_minus_100 check (markup_percent >= -100),
    constraint webhook_url_is_https check (webhook_url ~ '^https://')
);

create unique index customer_config_s_has_one_current_row on gateway.customer_config_s (customer_hk)
where load_end_date is null;

create table gateway.token_h (
    token_hk bytea primary key,
    token_bk varchar(255) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create index token_h_by_customer on gateway.token_h (customer_hk);

create table gateway.token_s (
    token_hk bytea not null references gateway.token_h (token_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    token_name varchar(200) not null,
    token_digest bytea not null,
    pepper_version smallint not null default 1,
    token_hint varchar(20) not null,
    token_status varchar(20) not null default 'ACTIVE',
    expires_at timestamptz,
    scopes text[] not null default '{inference,usage,billing}',
    cost_budget_daily numeric(20, 10),
    cost_budget_monthly numeric(20, 10),
    rate_limit_requests_per_minute integer,
    allowed_models text[],
    record_source varchar(100) not null,
    primary key (token_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint token_digest_is_256_bits check (octet_length(token_digest) = 32),
    constraint token_status_is_known check (token_status in ('ACTIVE', 'REVOKED')),
    constraint scopes_are_known check (scopes <@ '{inference,usage,billing,admin}'::text[]),
    constraint budgets_are_not_negative check (cost_budget_monthly >= 0 and cost_budget_daily >= 0),
    constraint rate_limit_is_between_1_and_60_million check (rate_limit_requests_per_minute between 1 and 60000000)
);

create unique index token_s_has_one_current_row on gateway.token_s (token_hk)
where load_end_date is null;

create unique index token_s_has_one_token_per_digest on gateway.token_s (token_digest)
where load_end_date is null;

comment on table gateway.customer_h is
'Hub: who is billed. The reference is public: it stands in the customer''s tokens.';
comment on column gateway.customer_config_s.api_key_encrypted is
'Fingerprint of the customer''s first token under envelope encryption; no secret can be got back from it.';
comment on column gateway.customer_config_s.compliance_level is
'Comma separated, upper case: HIPAA,GDPR. All are required of a provider.';
comment on table gateway.token_s is
'A token is verified by keyed digest and shown once; the hint is what a person may see later.';
