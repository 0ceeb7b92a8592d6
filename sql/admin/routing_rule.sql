drop view if exists admin.routing_rule;
drop view if exists admin.routing_rule_history;
create view admin.routing_rule_history as
select
    s.rule_name::text as rule_name,
    s.rule_priority,
    case when num_nonnulls(s.customer_hk, s.token_hk) = 0 then n.tenant_bk::text end as tenant,
    c.customer_bk::text as customer,
    t.token_bk::text as token_id,
    s.conditions,
    s.deny_reason::text as deny_reason,
    s.target_provider::text as target_provider,
    s.target_model::text as target_model,
    s.targets,
    s.fallbacks,
    s.strategy::text as strategy,
    s.cost_optimization,
    s.latency_optimization,
    s.quality_optimization,
    s.optimization_weights,
    s.min_quality_score,
    s.is_sticky,
    s.compliance_requirements,
    s.max_attempts,
    s.is_hedged,
    nullif(s.valid_from, '-infinity') as valid_from,
    nullif(s.valid_to, 'infinity') as valid_to,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.routing_rule_h as h
inner join gateway.routing_rule_s as s on h.routing_rule_hk = s.routing_rule_hk
left join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
left join gateway.customer_h as c on s.customer_hk = c.customer_hk
left join gateway.token_h as t on s.token_hk = t.token_hk;

create view admin.routing_rule as
select
    r.rule_name, r.rule_priority, r.tenant, r.customer, r.token_id, r.conditions, r.deny_reason, r.target_provider,
    r.target_model, r.targets, r.fallbacks, r.strategy, r.cost_optimization, r.latency_optimization,
    r.quality_optimization, r.optimization_weights, r.min_quality_score, r.is_sticky, r.compliance_requirements,
    r.max_attempts, r.is_hedged, r.valid_from, r.valid_to, r.is_active
from admin.routing_rule_history as r
where util.fn_is_in_force(r.load_date, r.load_end_date);

comment on view admin.routing_rule is
'How calls are routed: the first active rule whose conditions hold decides, a token''s rules before its customer''s,
these before the tenant''s, these before those for all, then by rule_priority and name. In force for the next call;
admin.explain_route() shows what it would do.';
comment on column admin.routing_rule.rule_name is 'Name, told as part of the route''s reason; cannot be changed.';
comment on column admin.routing_rule.rule_priority is 'Lower goes first; 100 if not given.';
comment on column admin.routing_rule.tenant is 'Tenant whose calls it is for; NULL for all.';
comment on column admin.routing_rule.customer is 'Customer whose calls it is for; NULL for all.';
comment on column admin.routing_rule.token_id is 'Token whose calls it is for; NULL for all.';
comment on column admin.routing_rule.conditions is
'When it applies, as JSON: {"tier": "PREMIUM", "prompt_tokens": {"gte": 1000}}; {} (if not given) always.';
comment on column admin.routing_rule.deny_reason is
'Calls that it applies to are refused (403) with this sentence; NULL lets them through.';
comment on column admin.routing_rule.target_provider is 'Provider for calls that name no model; NULL for any.';
comment on column admin.routing_rule.target_model is 'Model for calls that name none; NULL for any.';
comment on column admin.routing_rule.targets is
'Models with weights for calls that name none, instead of one target: {"maker/small": 3, "other/small": 1}.';
comment on column admin.routing_rule.fallbacks is
'Models (model, or provider/model) to try after the targets, in this order; within max_attempts.';
comment on column admin.routing_rule.strategy is
'How offers are put in order: OPTIMIZE by the flags or weights, WEIGHTED draws a target (if not given, with targets),
LEAST_OUTSTANDING takes the offer with the fewest calls under way.';
comment on column admin.routing_rule.cost_optimization is
'Prefer the cheapest offer; what decides when nothing else does.';
comment on column admin.routing_rule.latency_optimization is
'Prefer the fastest offer, by time to the first byte and time per token as measured.';
comment on column admin.routing_rule.quality_optimization is
'Prefer the offer with the best quality score for the type of request.';
comment on column admin.routing_rule.optimization_weights is
'Instead of the flags: {"cost": 0.5, "latency": 0.3, "quality": 0.2}.';
comment on column admin.routing_rule.min_quality_score is
'Offers with a lower quality score, or none, are left out; NULL for any.';
comment on column admin.routing_rule.is_sticky is
'Keeps a conversation (prompt_cache_key, session_id) at its offer while the warm prompt makes it no dearer.';
comment on column admin.routing_rule.compliance_requirements is
'Levels such as HIPAA that providers must meet, besides the customer''s own.';
comment on column admin.routing_rule.max_attempts is 'How many offers are tried at most, 1 to 10; 3 if not given.';
comment on column admin.routing_rule.is_hedged is
'Has another provider asked as well when the first one says nothing for longer than 95 of 100 of its calls wait; the
first answer counts, the customer pays for it alone, the house for both.';
comment on column admin.routing_rule.valid_from is 'From when on it applies; NULL for since ever.';
comment on column admin.routing_rule.valid_to is 'When it ceases to; NULL for never.';
comment on column admin.routing_rule.is_active is 'False leaves it out.';

comment on view admin.routing_rule_history is 'Every version of every rule, deleted ones included.';
comment on column admin.routing_rule_history.rule_name is 'Name.';
comment on column admin.routing_rule_history.rule_priority is 'Lower goes first.';
comment on column admin.routing_rule_history.tenant is 'Tenant whose calls it was for.';
comment on column admin.routing_rule_history.customer is 'Customer whose calls it was for.';
comment on column admin.routing_rule_history.token_id is 'Token whose calls it was for.';
comment on column admin.routing_rule_history.conditions is 'When it applied.';
comment on column admin.routing_rule_history.deny_reason is 'What it refused calls with.';
comment on column admin.routing_rule_history.target_provider is 'Provider for calls that named no model.';
comment on column admin.routing_rule_history.target_model is 'Model for calls that named none.';
comment on column admin.routing_rule_history.targets is 'Models with weights for calls that named none.';
comment on column admin.routing_rule_history.fallbacks is 'Models that were tried after the targets.';
comment on column admin.routing_rule_history.strategy is 'How offers were put in order.';
comment on column admin.routing_rule_history.optimization_weights is 'Weights of cost, latency and quality.';
comment on column admin.routing_rule_history.min_quality_score is 'Quality that offers had to have.';
comment on column admin.routing_rule_history.is_sticky is 'Whether conversations stayed at their offer.';
comment on column admin.routing_rule_history.cost_optimization is 'Whether it preferred the cheapest offer.';
comment on column admin.routing_rule_history.latency_optimization is 'Whether it preferred the fastest offer.';
comment on column admin.routing_rule_history.quality_optimization is 'Whether it preferred the best offer.';
comment on column admin.routing_rule_history.compliance_requirements is 'Levels that providers had to meet.';
comment on column admin.routing_rule_history.max_attempts is 'How many offers were tried at most.';
comment on column admin.routing_rule_history.is_hedged is
'Whether a second provider was asked when the first was slow.';
comment on column admin.routing_rule_history.valid_from is 'From when on it applied; NULL for since ever.';
comment on column admin.routing_rule_history.valid_to is 'When it ceased to; NULL for never.';
comment on column admin.routing_rule_history.is_active is 'Whether it was looked at.';
comment on column admin.routing_rule_history.load_date is 'Since when this version holds.';
comment on column admin.routing_rule_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.routing_rule_history.record_source is 'SQL user who made this version.';
comment on column admin.routing_rule_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.routing_rule_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.routing_rule_history.end_reason is 'Why it was deleted.';
