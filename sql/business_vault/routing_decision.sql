-- Who answered at the first attempt was chosen first and tried alone; of the others the row holds what was tried. Hub
-- and attempts are read only of requests from before it did. ops.unbalanced_request holds the road to both.
drop view if exists business_vault.routing_decision;
create view business_vault.routing_decision as
select
    s.request_id,
    s.request_timestamp,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    s.request_type::text as request_type,
    s.priority_tier::text as priority_tier,
    s.model_asked::text as model_asked,
    r.rule_name::text as rule_name,
    s.route_reason::text as route_reason,
    case when w.is_plain then p.provider_bk::text when w.is_noted then s.provider_chosen else (
        select fp.provider_bk::text
        from gateway.api_request_h as h
        inner join gateway.ai_provider_h as fp on h.provider_hk = fp.provider_hk
        where h.api_request_hk = s.api_request_hk and h.customer_hk = s.customer_hk
    ) end as provider_chosen,
    p.provider_bk::text as provider_used,
    s.model_used::text as model_used,
    case when w.is_plain then false when w.is_noted then s.provider_chosen <> p.provider_bk else s.provider_hk <> (
        select h.provider_hk
        from gateway.api_request_h as h
        where h.api_request_hk = s.api_request_hk and h.customer_hk = s.customer_hk
    ) end as was_rerouted,
    s.attempt_count,
    case when w.is_plain then array[p.provider_bk::text] when w.is_noted then s.attempted_providers else array(
        select ap.provider_bk::text
        from gateway.api_request_attempt_s as a
        inner join gateway.ai_provider_h as ap on a.provider_hk = ap.provider_hk
        where a.api_request_hk = s.api_request_hk and a.customer_hk = s.customer_hk
        order by a.attempt_number
    ) end as attempted_providers,
    case when w.is_plain then array[s.response_status::text] when w.is_noted then s.attempt_outcomes else array(
        select coalesce(a.error_class, a.outcome)::text
        from gateway.api_request_attempt_s as a
        where a.api_request_hk = s.api_request_hk and a.customer_hk = s.customer_hk
        order by a.attempt_number
    ) end as attempt_outcomes,
    s.response_status::text as response_status,
    s.request_latency_ms as latency_ms,
    s.customer_cost as customer_cost_usd
from gateway.api_request_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
cross join lateral (
    values (s.response_status = 'SUCCESS' and s.attempt_count = 1, s.provider_chosen is not null)
) as w (is_plain, is_noted)
left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
left join gateway.routing_rule_s as r on s.rule_hk = r.routing_rule_hk and r.load_end_date is null;

comment on view business_vault.routing_decision is
'Each booked request as a decision: what was asked, which rule and reason chose, who answered in the end, after which
attempts.';
comment on column business_vault.routing_decision.request_id is 'The request''s id, as the customer got it.';
comment on column business_vault.routing_decision.request_timestamp is 'When the request came.';
comment on column business_vault.routing_decision.tenant is 'Organisation of the customer.';
comment on column business_vault.routing_decision.customer is 'Who called and pays.';
comment on column business_vault.routing_decision.request_type is
'What kind of call it was: completion, or what the customer named.';
comment on column business_vault.routing_decision.priority_tier is 'Tier of the queue it went through.';
comment on column business_vault.routing_decision.model_asked is
'Model as the customer named it; NULL when left to the gateway.';
comment on column business_vault.routing_decision.rule_name is
'Routing rule that decided, by its present name; NULL for none.';
comment on column business_vault.routing_decision.route_reason is 'Why the provider was chosen, as it was told then.';
comment on column business_vault.routing_decision.provider_chosen is 'Provider that was chosen first.';
comment on column business_vault.routing_decision.provider_used is
'Provider that answered; where none did, the last one tried.';
comment on column business_vault.routing_decision.model_used is 'Model that answered.';
comment on column business_vault.routing_decision.was_rerouted is 'Whether another provider answered than was chosen.';
comment on column business_vault.routing_decision.attempt_count is 'Calls made to providers.';
comment on column business_vault.routing_decision.attempted_providers is
'Providers in the order in which they were tried.';
comment on column business_vault.routing_decision.attempt_outcomes is
'SUCCESS, or the class of the error, of each attempt in that order.';
comment on column business_vault.routing_decision.response_status is 'SUCCESS, ERROR, TIMEOUT, CANCELLED or VOIDED.';
comment on column business_vault.routing_decision.latency_ms is 'Time to the end of the answer.';
comment on column business_vault.routing_decision.customer_cost_usd is 'What the customer pays.';
