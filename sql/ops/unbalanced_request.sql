-- A charge is explained to its last digit: at most one attempt is charged, costs add up, and what is void or unknown is
-- free. business_vault.routing_decision takes the one successful attempt of a request for one at who was chosen first,
-- and what other requests hold of their attempts for those.
drop view if exists ops.unbalanced_request;
create view ops.unbalanced_request as
select b.api_request_hk, b.customer_hk, b.finding
from (
    select
        s.api_request_hk, s.customer_hk,
        case
            when a.charged > 1 then 'is charged for ' || a.charged || ' attempts'
            when s.customer_cost > 0 and a.charged = 0 then 'is charged for no attempt'
            when a.provider_cost <> s.provider_cost then 'costs another sum than its attempts'
            when a.own_key_cost <> s.own_key_cost then 'costs another sum by own keys than its attempts'
            when a.misplaced > 0 then 'costs the house something by a customer''s own key'
            when a.attempts <> s.attempt_count then 'has another number of attempts than it says'
            when s.provider_cost + s.gateway_markup <> s.customer_cost then 'does not add up'
            when s.response_status = 'SUCCESS' and a.answered <> 1 then 'succeeded without one successful attempt'
            when s.response_status = 'SUCCESS' and s.attempt_count = 1 and s.provider_hk <> h.provider_hk
                then 'was answered at the first attempt by another than was chosen'
            when s.provider_chosen <> c.provider_bk then 'says that another was chosen'
            when s.attempted_providers <> coalesce(a.providers, '{}')
                or s.attempt_outcomes <> coalesce(a.outcomes, '{}')
                then 'tells of other attempts than were made'
            when s.response_status = 'UNKNOWN' and a.unknown = 0 then 'is unknown without an unknown attempt'
            when s.response_status = 'VOIDED' and a.attempts > 0 then 'is void though a provider was called'
        end as finding
    from gateway.api_request_s as s
    left join gateway.api_request_h as h on s.api_request_hk = h.api_request_hk and s.customer_hk = h.customer_hk
    left join gateway.ai_provider_h as c on h.provider_hk = c.provider_hk
    cross join lateral (
        select
            count(*) as attempts, count(*) filter (where t.is_charged) as charged,
            count(*) filter (where t.outcome = 'SUCCESS') as answered,
            count(*) filter (where t.outcome = 'UNKNOWN') as unknown,
            coalesce(sum(t.provider_cost), 0) as provider_cost,
            coalesce(sum(t.own_key_cost), 0) as own_key_cost,
            count(*) filter (
                where case when t.is_own_key then t.provider_cost else t.own_key_cost end <> 0
            ) as misplaced,
            array_agg(p.provider_bk::text order by t.attempt_number) as providers,
            array_agg(coalesce(t.error_class, t.outcome)::text order by t.attempt_number) as outcomes
        from gateway.api_request_attempt_s as t
        inner join gateway.ai_provider_h as p on t.provider_hk = p.provider_hk
        where t.api_request_hk = s.api_request_hk and t.customer_hk = s.customer_hk
    ) as a
    where s.api_request_hk >= ops.fn_check_from()
) as b
where b.finding is not null;

comment on view ops.unbalanced_request is
'Booked requests whose charge, costs and attempts do not explain each other. Must be empty.';
