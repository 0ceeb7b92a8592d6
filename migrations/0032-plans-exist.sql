-- What customers subscribe to, and the model that a tenant would call without a gateway.
set local role onevault_owner;

create table gateway.plan_h (
    plan_hk bytea primary key,
    plan_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.plan_s (
    plan_hk bytea not null references gateway.plan_h (plan_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    plan_name varchar(200) not null,
    monthly_fee_usd numeric(20, 10) not null,
    entitlements text[] not null default '{}',
    is_active boolean not null default true,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (plan_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint monthly_fee_is_not_negative check (monthly_fee_usd >= 0)
);
create unique index plan_s_has_one_current_row on gateway.plan_s (plan_hk) where load_end_date is null;

create table gateway.subscription_l (
    subscription_hk bytea primary key,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    tenant_hk bytea not null,
    plan_hk bytea not null references gateway.plan_h (plan_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    unique (customer_hk, plan_hk)
);
alter table gateway.subscription_l enable row level security, force row level security;
create policy owner_sees_all on gateway.subscription_l to onevault_owner using (true);
create policy tenant_sees_own on gateway.subscription_l for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

create table gateway.subscription_s (
    subscription_hk bytea not null references gateway.subscription_l (subscription_hk),
    valid_from date not null,
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    valid_to date not null default 'infinity',
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (subscription_hk, valid_from, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint subscription_has_a_beginning check (isfinite(valid_from)),
    constraint valid_to_is_after_valid_from check (valid_to > valid_from)
);
create unique index subscription_s_has_one_current_row on gateway.subscription_s (subscription_hk, valid_from)
where load_end_date is null;

comment on table gateway.plan_h is 'Hub: a plan or a service that customers subscribe to.';
comment on table gateway.plan_s is 'What a plan costs a month and what it entitles to.';
comment on table gateway.subscription_l is 'Link: a customer and a plan.';
comment on table gateway.subscription_s is
'From which day to which a customer has a plan, in days of his tenant''s time zone; the last day is not one of them.';

alter table auth.tenant_s add column baseline_model varchar(355);
comment on column auth.tenant_s.baseline_model is
'Model, or provider/model, that calls without a model of their own are compared with; NULL for none.';
