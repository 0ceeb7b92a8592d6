drop view if exists admin.charge_rule;
drop view if exists admin.charge_rule_history;
create view admin.charge_rule_history as
select
    h.charge_rule_bk::text as charge_rule,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    l.plan_bk::text as plan,
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.meter::text as meter,
    trim_scale(s.markup_percent) as markup_percent,
    trim_scale(s.usd_per_million) as usd_per_million,
    trim_scale(s.from_month_usd) as from_month_usd,
    trim_scale(s.minimum_usd) as minimum_usd,
    s.passes_cache_savings,
    s.valid_from,
    s.valid_to,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.charge_rule_h as h
inner join gateway.charge_rule_s as s on h.charge_rule_hk = s.charge_rule_hk
left join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
left join gateway.customer_h as c on s.customer_hk = c.customer_hk
left join gateway.plan_h as l on s.plan_hk = l.plan_hk
left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
left join gateway.model_h as m on s.model_hk = m.model_hk;

create view admin.charge_rule as
select
    r.charge_rule, r.tenant, r.customer, r.plan, r.provider, r.model, r.meter, r.markup_percent, r.usd_per_million,
    r.from_month_usd, r.minimum_usd, r.passes_cache_savings, r.valid_from, r.valid_to, r.is_active
from admin.charge_rule_history as r
where util.fn_is_in_force(r.load_date, r.load_end_date);

comment on view admin.charge_rule is
'How the customer''s price is made where it is not the plain markup_percent of customer or tenant. Of the rules that a
call falls under the one counts, meter by meter, that is about the customer before one of his plan, of his tenant, of
everybody; then about the model before the provider; then about the meter; then with the highest from_month_usd that is
reached; then with the latest valid_from. In force from the next call on.';
comment on column admin.charge_rule.charge_rule is 'Name, which each charge made by it tells; cannot be changed.';
comment on column admin.charge_rule.tenant is
'Whose customers; follows from customer where one is given; NULL: everybody''s.';
comment on column admin.charge_rule.customer is 'Customer; NULL: all.';
comment on column admin.charge_rule.plan is
'Only in the days in which the customer has this plan (admin.subscription).';
comment on column admin.charge_rule.provider is 'Only what this provider answers; NULL: any.';
comment on column admin.charge_rule.model is 'Only what this model answers; NULL: any.';
comment on column admin.charge_rule.meter is
'Only what this meter counts, such as input, output, cache_read or image (as in admin.price; images, searches and the
like at any variant). NULL: all that no rule of a meter is about.';
comment on column admin.charge_rule.markup_percent is
'Percent on what the provider asks; below 0 a rebate, down to -100. Either this or usd_per_million.';
comment on column admin.charge_rule.usd_per_million is
'The customer''s list price, USD per million of the meter, whatever the provider asks.';
comment on column admin.charge_rule.from_month_usd is
'Only for calls decided once this much has been charged in the month of the tenant''s time zone; 0 if not given.';
comment on column admin.charge_rule.minimum_usd is
'What an answered request costs at least; of a rule without a meter only. NULL: nothing.';
comment on column admin.charge_rule.passes_cache_savings is
'False: what comes out of a provider''s cache is charged as uncached input; of a rule without a meter or of input.';
comment on column admin.charge_rule.valid_from is 'First day, in the tenant''s time zone; since ever if not given.';
comment on column admin.charge_rule.valid_to is 'First day without it; infinity if not given.';
comment on column admin.charge_rule.is_active is 'False: kept and not applied.';

comment on view admin.charge_rule_history is 'Every version of every rule of prices, deleted ones included.';
comment on column admin.charge_rule_history.charge_rule is 'Name.';
comment on column admin.charge_rule_history.tenant is 'Whose customers; NULL: everybody''s.';
comment on column admin.charge_rule_history.customer is 'Customer; NULL: all.';
comment on column admin.charge_rule_history.plan is 'Plan; NULL: with any or none.';
comment on column admin.charge_rule_history.provider is 'Provider; NULL: any.';
comment on column admin.charge_rule_history.model is 'Model; NULL: any.';
comment on column admin.charge_rule_history.meter is 'Meter; NULL: all others.';
comment on column admin.charge_rule_history.markup_percent is 'Percent on what the provider asks.';
comment on column admin.charge_rule_history.usd_per_million is 'List price per million of the meter.';
comment on column admin.charge_rule_history.from_month_usd is 'Charges of the month from which it held.';
comment on column admin.charge_rule_history.minimum_usd is 'What a request cost at least.';
comment on column admin.charge_rule_history.passes_cache_savings is 'Whether what a cache saved was the customer''s.';
comment on column admin.charge_rule_history.valid_from is 'First day.';
comment on column admin.charge_rule_history.valid_to is 'First day without it.';
comment on column admin.charge_rule_history.is_active is 'Whether it was applied.';
comment on column admin.charge_rule_history.load_date is 'Since when this version holds; charges name it.';
comment on column admin.charge_rule_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.charge_rule_history.record_source is 'SQL user who made this version.';
comment on column admin.charge_rule_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.charge_rule_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.charge_rule_history.end_reason is 'Why it was deleted.';
