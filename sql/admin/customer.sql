drop view if exists admin.customer;
drop view if exists admin.customer_history;
create view admin.customer_history as
select
    h.customer_bk::text as customer,
    n.tenant_bk::text as tenant,
    h.customer_reference::text as customer_reference,
    s.priority_tier::text as priority_tier,
    s.rate_limit_requests_per_minute,
    trim_scale(s.cost_budget_daily) as cost_budget_daily,
    trim_scale(s.cost_budget_monthly) as cost_budget_monthly,
    coalesce(string_to_array(nullif(s.compliance_level, ''), ','), '{}') as compliance,
    s.preferred_providers,
    s.allowed_models,
    trim_scale(s.markup_percent) as markup_percent,
    s.webhook_url,
    s.is_strict,
    s.keeps_parameters,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.customer_h as h
inner join gateway.customer_config_s as s on h.customer_hk = s.customer_hk
inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk;

create view admin.customer as
select
    c.customer, c.tenant, c.customer_reference, c.priority_tier, c.rate_limit_requests_per_minute, c.cost_budget_daily,
    c.cost_budget_monthly, c.compliance, c.preferred_providers, c.allowed_models, c.markup_percent, c.webhook_url,
    c.is_strict, c.keeps_parameters, c.is_active
from admin.customer_history as c
where util.fn_is_in_force(c.load_date, c.load_end_date);

comment on view admin.customer is
'Who calls and is billed. DELETE revokes tokens and keys for good and keeps every booking; the name is not used again,
unless admin.restore_customer() brings the customer back, switched off. is_active = false is the way back and forth.';
comment on column admin.customer.customer is 'Name, the same word in every command; cannot be changed.';
comment on column admin.customer.tenant is 'Organisation it belongs to; default if not given; cannot be changed.';
comment on column admin.customer.customer_reference is
'Public reference that stands in its tokens; made by the gateway.';
comment on column admin.customer.priority_tier is
'BASIC, STANDARD (if not given) or PREMIUM: which queue its calls wait in.';
comment on column admin.customer.rate_limit_requests_per_minute is 'Requests a minute; NULL for no limit of its own.';
comment on column admin.customer.cost_budget_daily is 'USD a day of the tenant''s time zone; NULL for no limit.';
comment on column admin.customer.cost_budget_monthly is 'USD a month of the tenant''s time zone; NULL for no limit.';
comment on column admin.customer.compliance is 'Levels such as HIPAA that every provider of its calls must meet.';
comment on column admin.customer.preferred_providers is 'Providers that are tried first when they fit; NULL for none.';
comment on column admin.customer.allowed_models is
'Models (model, or provider/model) that it may use; NULL for all, an empty list for none.';
comment on column admin.customer.markup_percent is 'Percent added to provider cost; NULL for the tenant''s.';
comment on column admin.customer.webhook_url is 'Address that is told of events; https only. Its
secret comes from "onevault webhook secret"; what was sent is in admin.webhook_delivery.';
comment on column admin.customer.is_strict is
'True: a token of the prompt is held for each of its bytes, which nobody can count more of; false (if not given): as
many as prompts of the model really have.';
comment on column admin.customer.keeps_parameters is
'True: providers that cannot be told all parameters of a call (seed, logprobs, …) are not asked; false (if not given):
what they cannot be told is left out, and the header x-onevault-dropped says so.';
comment on column admin.customer.is_active is 'False refuses every call.';

comment on view admin.customer_history is 'Every version of every customer, deleted ones included.';
comment on column admin.customer_history.customer is 'Name.';
comment on column admin.customer_history.tenant is 'Organisation it belongs to.';
comment on column admin.customer_history.customer_reference is 'Public reference that stands in its tokens.';
comment on column admin.customer_history.priority_tier is 'BASIC, STANDARD or PREMIUM.';
comment on column admin.customer_history.rate_limit_requests_per_minute is 'Requests a minute; NULL for no limit.';
comment on column admin.customer_history.cost_budget_daily is 'USD a day; NULL for no limit.';
comment on column admin.customer_history.cost_budget_monthly is 'USD a month; NULL for no limit.';
comment on column admin.customer_history.compliance is 'Levels that every provider of its calls had to meet.';
comment on column admin.customer_history.preferred_providers is 'Providers that were tried first.';
comment on column admin.customer_history.allowed_models is 'Models that it could use; NULL for all.';
comment on column admin.customer_history.markup_percent is 'Percent added to provider cost; NULL for the tenant''s.';
comment on column admin.customer_history.webhook_url is 'Address that was told of events.';
comment on column admin.customer_history.is_strict is 'Whether a token was held for each byte.';
comment on column admin.customer_history.keeps_parameters is 'Whether no parameter was left out.';
comment on column admin.customer_history.is_active is 'Whether it could call.';
comment on column admin.customer_history.load_date is 'Since when this version holds.';
comment on column admin.customer_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.customer_history.record_source is 'SQL user who made this version.';
comment on column admin.customer_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.customer_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.customer_history.end_reason is 'Why it was deleted.';
