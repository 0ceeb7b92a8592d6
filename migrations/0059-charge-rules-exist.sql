-- How a customer's price is made where it is not the plain markup, and what of it was applied to each charge.
set local role onevault_owner;

create table gateway.charge_rule_h (
    charge_rule_hk bytea primary key,
    charge_rule_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.charge_rule_s (
    charge_rule_hk bytea not null references gateway.charge_rule_h (charge_rule_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    tenant_hk bytea references auth.tenant_h (tenant_hk),
    customer_hk bytea references gateway.customer_h (customer_hk),
    plan_hk bytea references gateway.plan_h (plan_hk),
    provider_hk bytea references gateway.ai_provider_h (provider_hk),
    model_hk bytea references gateway.model_h (model_hk),
    meter varchar(40),
    markup_percent numeric(9, 4),
    usd_per_million numeric(20, 10),
    from_month_usd numeric(20, 10) not null default 0,
    minimum_usd numeric(20, 10),
    passes_cache_savings boolean not null default true,
    valid_from date not null default '-infinity',
    valid_to date not null default 'infinity',
    is_active boolean not null default true,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (charge_rule_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint charge_meter_is_known check (meter in (
        'input', 'output', 'cache_read', 'cache_write', 'cache_write_1h', 'input_audio', 'output_audio',
        'cache_read_audio', 'input_image', 'output_image', 'image', 'search', 'second', 'character'
    )),
    constraint charge_rule_has_one_method check ((markup_percent is null) <> (usd_per_million is null)),
    constraint list_price_has_a_meter check (usd_per_million is null or meter is not null),
    constraint list_price_is_not_negative check (usd_per_million >= 0),
    constraint markup_percent_is_not_below_minus_100 check (markup_percent >= -100),
    constraint volume_tier_is_not_negative check (from_month_usd >= 0),
    constraint minimum_is_not_negative check (minimum_usd >= 0),
    constraint minimum_is_of_the_whole_request check (minimum_usd is null or meter is null),
    constraint cache_savings_are_kept_by_input check (
        passes_cache_savings or meter is null or meter in ('input', 'input_audio')
    ),
    constraint valid_to_is_after_valid_from check (valid_to > valid_from)
);
create unique index charge_rule_s_has_one_current_row on gateway.charge_rule_s (charge_rule_hk)
where load_end_date is null;
create unique index charge_rules_in_force_differ on gateway.charge_rule_s (
    customer_hk, plan_hk, tenant_hk, provider_hk, model_hk, meter, from_month_usd, valid_from
) nulls not distinct where load_end_date is null and is_active;
alter table gateway.charge_rule_s enable row level security, force row level security;
create policy owner_sees_all on gateway.charge_rule_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.charge_rule_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

comment on table gateway.charge_rule_h is 'Hub: a rule that says how a customer''s price is made.';
comment on table gateway.charge_rule_s is
'Whom and what a rule of prices is about, how it makes the price, from which volume, and in which days.';
comment on column gateway.charge_rule_s.tenant_hk is 'Whose customers; the customer''s, where one is named.';

alter table ops.principal add column charge_rules jsonb;
comment on column ops.principal.charge_rules is
'Rules of prices that can apply to the customer, the first that fits first (ops.fn_list_charge_rules); NULL: the plain
markup_percent.';

alter table gateway.api_request_s add column charge_terms jsonb;
comment on column gateway.api_request_s.charge_terms is
'By what the charge was made: rules, and USD per million of each meter used. NULL: markup_percent and nothing else.';

create type gateway.held_charge as (
    terms jsonb,
    prompt_usd numeric,
    usd_per_output_token numeric,
    minimum_usd numeric
);
comment on type gateway.held_charge is
'What a call may cost a customer by rules of prices: the rules, its prompt and pieces, each token answered, the least.';

-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_choose_candidates(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_own_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb, jsonb, jsonb, boolean, boolean, integer
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_score_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb, jsonb, boolean
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb,
    jsonb, boolean
);
-- squawk-ignore ban-drop-function
drop function if exists admin.explain_route(text, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists admin.fn_explain_choice(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint, bigint, jsonb
);
