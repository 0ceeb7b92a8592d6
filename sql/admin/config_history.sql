-- Every version of everything that a DBA edits, in one shape: what config_diff() compares. Nothing secret is in any of
-- the views it is made of.
create view admin.config_history as
select
    v.thing,
    v.name,
    v.document - '{load_date,load_end_date,record_source,change_reason,ended_by,end_reason}'::text[] as document,
    (v.document ->> 'load_date')::timestamptz as load_date,
    (v.document ->> 'load_end_date')::timestamptz as load_end_date,
    v.document ->> 'record_source' as record_source,
    v.document ->> 'change_reason' as change_reason,
    v.document ->> 'ended_by' as ended_by,
    v.document ->> 'end_reason' as end_reason
from (
    select 'tenant' as thing, h.tenant as name, to_jsonb(h) as document from admin.tenant_history as h
    union all
    select 'customer', h.customer, to_jsonb(h) from admin.customer_history as h
    union all
    select 'token', h.token_id, to_jsonb(h) from admin.token_history as h
    union all
    select 'provider', h.provider, to_jsonb(h) from admin.provider_history as h
    union all
    select 'provider_key', concat_ws('/', h.provider, h.customer, h.key_name), to_jsonb(h)
    from admin.provider_key_history as h
    union all
    select 'model', h.provider || '/' || h.model, to_jsonb(h) from admin.model_history as h
    union all
    select
        'price', concat_ws(
            '/', h.provider, h.model, h.meter, nullif(h.variant, ''), nullif(h.service_tier, 'standard'),
            nullif(h.mode, 'sync'), nullif(h.region, ''), nullif(h.threshold_tokens, 0)::text, h.valid_from::text
        ), to_jsonb(h)
    from admin.price_history as h
    union all
    select
        'compliance_fact', concat_ws('/', h.provider, h.model, h.compliance_level, h.valid_from::text), to_jsonb(h)
    from admin.compliance_fact_history as h
    union all
    select 'plan', h.plan, to_jsonb(h) from admin.plan_history as h
    union all
    select 'subscription', concat_ws('/', h.customer, h.plan, h.valid_from::text), to_jsonb(h)
    from admin.subscription_history as h
    union all
    select 'legal_entity', h.legal_entity, to_jsonb(h) from admin.legal_entity_history as h
    union all
    select 'billing_profile', h.customer, to_jsonb(h) from admin.billing_profile_history as h
    union all
    select 'tax_rate', concat_ws('/', h.tax, h.valid_from::text), to_jsonb(h) from admin.tax_rate_history as h
    union all
    select 'exchange_rate', concat_ws('/', h.currency, h.rate_date::text), to_jsonb(h)
    from admin.exchange_rate_history as h
    union all
    select 'charge_rule', h.charge_rule, to_jsonb(h) from admin.charge_rule_history as h
    union all
    select 'credit', concat_ws('/', h.customer, h.credit), to_jsonb(h) from admin.credit_history as h
    union all
    select 'usage_limit', h.limit_name, to_jsonb(h) from admin.usage_limit_history as h
    union all
    select 'usage_export', h.export, to_jsonb(h) from admin.usage_export_history as h
    union all
    select 'usage_export_customer', h.export || '/' || h.customer, to_jsonb(h)
    from admin.usage_export_customer_history as h
    union all
    select 'routing_rule', h.rule_name, to_jsonb(h) from admin.routing_rule_history as h
    union all
    select 'routing_rule_test', h.test_name, to_jsonb(h) from admin.routing_rule_test_history as h
) as v;

comment on view admin.config_history is
'Every version of every tenant, customer, token, provider, key (without its secret), model, price, compliance
fact, plan, subscription, charge rule, seller, billing profile, rate of a tax or a currency, credit,
usage limit, export,
customer of an export, rule and test of rules.';
comment on column admin.config_history.thing is
'tenant, customer, token, provider, provider_key, model, price, compliance_fact, plan, subscription,
legal_entity, billing_profile, tax_rate, exchange_rate, charge_rule, credit, usage_limit, usage_export,
usage_export_customer, routing_rule or routing_rule_test.';
comment on column admin.config_history.name is
'Which one: its name, for models provider/model, for prices provider/model/meter/valid_from (before it variant, service
tier, mode, region and threshold, where they are not the plain ones), for compliance facts
provider/model/level/valid_from, for subscriptions customer/plan/valid_from, for billing profiles the customer, for rates
tax/valid_from and currency/rate_date, for customers of exports export/customer, for credits customer/credit.';
comment on column admin.config_history.document is 'What it said, by the columns of its view.';
comment on column admin.config_history.load_date is 'Since when this version holds.';
comment on column admin.config_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.config_history.record_source is 'SQL user who made this version.';
comment on column admin.config_history.change_reason is 'Why, as he said.';
comment on column admin.config_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.config_history.end_reason is 'Why it was deleted.';
