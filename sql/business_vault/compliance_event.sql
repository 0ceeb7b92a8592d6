-- What the facts tell so far. A call that is refused before it is routed leaves no fact. Customers are grouped for the
-- reason that request_detail gives.
drop view if exists business_vault.compliance_event;
create view business_vault.compliance_event as
with customer as (
    select h.customer_hk, h.customer_bk::text as customer, n.tenant_bk::text as tenant
    from gateway.customer_h as h
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    group by h.customer_hk, h.customer_bk, n.tenant_bk
)

select
    s.request_timestamp as happened_at,
    'REQUIREMENT_APPLIED' as event_type,
    c.tenant,
    c.customer,
    s.request_id,
    s.compliance_flags as required_levels,
    p.provider_bk::text as provider,
    s.model_used::text as model,
    v.provider_levels,
    v.provider_levels @> s.compliance_flags as is_met,
    s.response_status::text as outcome,
    s.error_class::text as error_class
from gateway.api_request_s as s
inner join customer as c on s.customer_hk = c.customer_hk
left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
-- Requests hold what their offer met; before they did, attempts; before those did, it was what the provider met.
cross join lateral (
    select coalesce(s.compliance_met, (
        select t.compliance_met
        from gateway.api_request_attempt_s as t
        where t.api_request_hk = s.api_request_hk and t.customer_hk = s.customer_hk
        order by t.attempt_number desc
        limit 1
    ), (
        select ps.compliance_levels
        from gateway.ai_provider_s as ps
        where
            ps.provider_hk = s.provider_hk and s.request_timestamp >= ps.load_date
            and s.request_timestamp < coalesce(ps.load_end_date, 'infinity')
        order by ps.load_date desc
        limit 1
    )) as provider_levels
    from (values (0)) as f (fence)
    order by f.fence offset 0
) as v
where s.compliance_flags is not null
union all
select
    a.load_date,
    'CONTENT_REFUSED',
    n.tenant_bk::text,
    c.customer_bk::text,
    encode(a.api_request_hk, 'hex')::uuid,
    s.compliance_flags,
    p.provider_bk::text,
    m.model_bk::text,
    v.provider_levels,
    v.provider_levels @> s.compliance_flags,
    a.outcome::text,
    a.error_class::text
from gateway.api_request_attempt_s as a
inner join gateway.api_request_s as s on a.api_request_hk = s.api_request_hk and a.customer_hk = s.customer_hk
inner join gateway.customer_h as c on a.customer_hk = c.customer_hk
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
left join gateway.ai_provider_h as p on a.provider_hk = p.provider_hk
left join gateway.offer_l as l on a.offer_hk = l.offer_hk
left join gateway.model_h as m on l.model_hk = m.model_hk
left join gateway.ai_provider_s as ps
    on a.provider_hk = ps.provider_hk and s.request_timestamp >= ps.load_date
    and s.request_timestamp < coalesce(ps.load_end_date, 'infinity')
cross join lateral coalesce(a.compliance_met, ps.compliance_levels) as v (provider_levels)
where a.error_class = 'content_policy';

comment on view business_vault.compliance_event is
'Requests that had to meet compliance levels, with what their provider had then; and content that a provider refused.';
comment on column business_vault.compliance_event.happened_at is 'When the request came, or the refusal was booked.';
comment on column business_vault.compliance_event.event_type is 'REQUIREMENT_APPLIED or CONTENT_REFUSED.';
comment on column business_vault.compliance_event.tenant is 'Organisation of the customer.';
comment on column business_vault.compliance_event.customer is 'Who called.';
comment on column business_vault.compliance_event.request_id is 'The request''s id, as the customer got it.';
comment on column business_vault.compliance_event.required_levels is
'Compliance levels that were required of the provider; NULL for none.';
comment on column business_vault.compliance_event.provider is 'Provider that answered, or refused.';
comment on column business_vault.compliance_event.model is 'Model it was asked for.';
comment on column business_vault.compliance_event.provider_levels is
'Compliance levels that the provider met for this model when the request came.';
comment on column business_vault.compliance_event.is_met is
'Whether those hold all that were required; NULL when none were.';
comment on column business_vault.compliance_event.outcome is 'How the request ended, or the refused attempt.';
comment on column business_vault.compliance_event.error_class is 'Class of the failure, from a closed list.';
