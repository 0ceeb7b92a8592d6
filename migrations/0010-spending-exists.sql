set local role onevault_owner;

create table gateway.customer_spending_h (
    spending_hk bytea primary key,
    spending_bk varchar(255) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create index customer_spending_h_by_customer on gateway.customer_spending_h (customer_hk);

create table gateway.customer_spending_s (
    spending_hk bytea not null references gateway.customer_spending_h (spending_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    billing_period date not null,
    total_requests bigint,
    total_tokens bigint,
    total_provider_cost numeric(20, 10),
    total_gateway_revenue numeric(20, 10),
    total_customer_charges numeric(20, 10),
    cost_by_provider jsonb,
    cost_by_model jsonb,
    overage_charges numeric(20, 10),
    credits_applied numeric(20, 10),
    billing_status varchar(20) not null default 'PENDING',
    record_source varchar(100) not null,
    primary key (spending_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint billing_period_is_a_month check (extract(day from billing_period) = 1),
    constraint billing_status_is_known check (billing_status in ('PENDING', 'BILLED', 'PAID'))
);

create unique index customer_spending_s_has_one_current_row on gateway.customer_spending_s (spending_hk)
where load_end_date is null;

comment on table gateway.customer_spending_h is
'Hub: a customer''s billing period, business key customer|yyyy-mm.';
comment on table gateway.customer_spending_s is 'What a customer spent in a month, as the rollup last knew it.';
