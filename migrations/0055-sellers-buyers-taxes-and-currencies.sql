-- Who sells, who buys, and by which taxes and currencies an invoice is made out.
set local role onevault_owner;

create table gateway.legal_entity_h (
    legal_entity_hk bytea primary key,
    legal_entity_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.legal_entity_s (
    legal_entity_hk bytea not null references gateway.legal_entity_h (legal_entity_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    legal_name varchar(300) not null,
    address text[] not null default '{}',
    tax_number varchar(100),
    email varchar(320),
    payment_instructions text[] not null default '{}',
    invoice_prefix varchar(20) not null,
    currency varchar(3) not null default 'USD',
    payment_days smallint not null default 30,
    is_default boolean not null default false,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (legal_entity_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint invoice_prefix_is_a_word check (invoice_prefix ~ '^[A-Z0-9]{1,20}$'),
    constraint currency_is_a_code check (currency ~ '^[A-Z]{3}$'),
    constraint payment_days_are_sensible check (payment_days between 0 and 365)
);
create unique index legal_entity_s_has_one_current_row on gateway.legal_entity_s (legal_entity_hk)
where load_end_date is null;
create unique index legal_entity_s_has_one_default on gateway.legal_entity_s (is_default)
where load_end_date is null and is_default;
create unique index legal_entity_s_has_a_prefix_of_its_own on gateway.legal_entity_s (invoice_prefix)
where load_end_date is null;

create table gateway.tax_h (
    tax_hk bytea primary key,
    tax_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.tax_rate_s (
    tax_hk bytea not null references gateway.tax_h (tax_hk),
    valid_from date not null,
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    valid_to date not null default 'infinity',
    tax_percent numeric(9, 4) not null,
    description varchar(200) not null,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (tax_hk, valid_from, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint valid_to_is_after_valid_from check (valid_to > valid_from),
    constraint tax_percent_is_a_percentage check (tax_percent >= 0 and tax_percent <= 100)
);
create unique index tax_rate_s_has_one_current_row on gateway.tax_rate_s (tax_hk, valid_from)
where load_end_date is null;

create table gateway.currency_h (
    currency_hk bytea primary key,
    currency_bk varchar(3) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.exchange_rate_s (
    currency_hk bytea not null references gateway.currency_h (currency_hk),
    rate_date date not null,
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    units_per_usd numeric(20, 10) not null,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (currency_hk, rate_date, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint units_per_usd_is_positive check (units_per_usd > 0)
);
create unique index exchange_rate_s_has_one_current_row on gateway.exchange_rate_s (currency_hk, rate_date)
where load_end_date is null;

create table gateway.customer_billing_s (
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    legal_entity_hk bytea references gateway.legal_entity_h (legal_entity_hk),
    tax_hk bytea references gateway.tax_h (tax_hk),
    legal_name varchar(300) not null,
    address text[] not null default '{}',
    tax_number varchar(100),
    email varchar(320),
    currency varchar(3),
    payment_days smallint,
    is_prepaid boolean not null default false,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (customer_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint currency_is_a_code check (currency ~ '^[A-Z]{3}$'),
    constraint payment_days_are_sensible check (payment_days between 0 and 365)
);
create unique index customer_billing_s_has_one_current_row on gateway.customer_billing_s (customer_hk)
where load_end_date is null;
alter table gateway.customer_billing_s enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_billing_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_billing_s for select to onevault_reader
using (
    (select util.fn_sees_all_tenants())
    or exists (
        select from gateway.customer_h as h
        where h.customer_hk = customer_billing_s.customer_hk and h.tenant_hk = (select util.fn_current_tenant())
    )
);

alter table gateway.plan_s add column included_usage_usd numeric(20, 10) not null default 0;
alter table gateway.plan_s add constraint included_usage_is_not_negative check (included_usage_usd >= 0) not valid;
alter table gateway.subscription_s add column trial_until date;

comment on table gateway.legal_entity_h is 'Hub: a company that sells, and numbers its invoices.';
comment on table gateway.legal_entity_s is 'What stands on a seller''s invoices, and how they are numbered.';
comment on table gateway.tax_h is 'Hub: a tax, such as the value-added tax of a country.';
comment on table gateway.tax_rate_s is 'Rate of a tax from a day on.';
comment on table gateway.currency_h is 'Hub: a currency that invoices are made out in.';
comment on table gateway.exchange_rate_s is 'Units of a currency for one USD on a day.';
comment on table gateway.customer_billing_s is
'How a customer is billed: what stands on invoices, by whom, in what currency.';
comment on column gateway.plan_s.included_usage_usd is 'USD of usage a month that the fee pays for.';
comment on column gateway.subscription_s.trial_until is 'First day that costs; NULL: no trial.';
