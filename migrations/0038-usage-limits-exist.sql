-- Limits of any scope: a tenant, a customer or a token, and a provider or a model within any of them; of money, tokens,
-- requests or calls at the same time; by the minute, day, week, month or in all.
set local role onevault_owner;

create table gateway.usage_limit_h (
    usage_limit_hk bytea primary key,
    usage_limit_bk varchar(255) not null unique,
    tenant_hk bytea not null references auth.tenant_h (tenant_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);
create index usage_limit_h_by_tenant on gateway.usage_limit_h (tenant_hk);
alter table gateway.usage_limit_h enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_limit_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_limit_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

create table gateway.usage_limit_s (
    usage_limit_hk bytea not null references gateway.usage_limit_h (usage_limit_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    customer_hk bytea references gateway.customer_h (customer_hk),
    token_hk bytea references gateway.token_h (token_hk),
    provider_hk bytea references gateway.ai_provider_h (provider_hk),
    model_hk bytea references gateway.model_h (model_hk),
    unit varchar(20) not null,
    period varchar(20),
    amount numeric(20, 10) not null,
    is_hard boolean not null default true,
    raised_amount numeric(20, 10),
    raised_until timestamptz,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (usage_limit_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint unit_is_known check (unit in ('USD', 'TOKENS', 'REQUESTS', 'PARALLEL')),
    constraint period_is_known check (period in ('MINUTE', 'DAY', 'WEEK', 'MONTH', 'TOTAL')),
    constraint parallel_calls_have_no_period check ((unit = 'PARALLEL') = (period is null)),
    constraint money_has_no_minute check (unit <> 'USD' or period <> 'MINUTE'),
    constraint amount_is_not_negative check (amount >= 0),
    constraint minutes_allow_something check (period <> 'MINUTE' or amount >= 1),
    constraint raise_has_an_amount_and_an_end check ((raised_amount is null) = (raised_until is null)),
    constraint raise_is_a_raise check (raised_amount > amount),
    constraint soft_limits_have_a_long_period check (is_hard or period in ('DAY', 'WEEK', 'MONTH', 'TOTAL'))
);
create unique index usage_limit_s_has_one_current_row on gateway.usage_limit_s (usage_limit_hk)
where load_end_date is null;
alter table gateway.usage_limit_s enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_limit_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_limit_s for select to onevault_reader
using (
    (select util.fn_sees_all_tenants()) or exists (
        select from gateway.usage_limit_h as h
        where h.usage_limit_hk = usage_limit_s.usage_limit_hk and h.tenant_hk = (select util.fn_current_tenant())
    )
);

comment on table gateway.usage_limit_h is 'Hub: a limit of what may be used, by its name.';
comment on table gateway.usage_limit_s is
'What a limit is about (NULL: all of its tenant''s customers, tokens, providers, models), and how much it allows.';
comment on column gateway.usage_limit_s.raised_amount is 'Allowed instead of amount until raised_until.';

create table ops.usage_limit (
    usage_limit_hk bytea primary key,
    limit_name text not null,
    tenant_hk bytea not null,
    customer_hk bytea,
    token_hk bytea,
    provider_hk bytea,
    provider_bk text,
    model_bk text,
    unit text not null,
    period text,
    amount numeric not null,
    is_hard boolean not null,
    raised_amount numeric,
    raised_until timestamptz,
    window_number integer not null default 0,
    spent numeric not null default 0,
    held numeric not null default 0,
    ceiling numeric,
    full_at_us bigint not null default 0,
    constraint limit_is_never_over_its_ceiling check (spent + held <= ceiling),
    constraint spent_and_held_are_not_negative check (spent >= 0 and held >= 0)
) with (
    fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);
create index usage_limit_by_tenant on ops.usage_limit (tenant_hk);
alter table ops.usage_limit enable row level security, force row level security;
create policy owner_sees_all on ops.usage_limit to onevault_owner using (true);
create policy tenant_sees_own on ops.usage_limit for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

comment on table ops.usage_limit is
'Limits of gateway.usage_limit_s with what is used of them: one row, one lock, one conditional update each.';
comment on column ops.usage_limit.window_number is
'Day, week or month since 1970 that spent and held are of; 0 where there is no such window.';
comment on column ops.usage_limit.ceiling is
'What was allowed at the last admission. Kept beside the sums, so a check can hold it after the limit was lowered. Not
for tokens: what a call really used may be more than what was held for it.';
comment on column ops.usage_limit.full_at_us is
'GCRA, for minutes: theoretical arrival time in microseconds since 1970.';

alter table ops.principal add column limit_hks bytea[];
comment on column ops.principal.limit_hks is
'Limits of ops.usage_limit that calls of this token fall under; NULL for none.';
alter table ops.reservation add column limits jsonb;
comment on column ops.reservation.limits is
'What is held in ops.usage_limit: a list of {limit, unit, window, held, us, provider, model}; NULL for nothing.';

alter type gateway.request_features add attribute closed text[];
alter type gateway.request_features add attribute room_tokens bigint;

-- They take or tell more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_settle_result(jsonb);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_write_bookings(
    gateway.api_request_s[], gateway.api_request_attempt_s[], integer[], integer[], boolean[]
);
