-- The worst that the house may find on a provider's bill: what was held is a bound for one call; where a customer's
-- prices are not the plain markup, it is kept with the decision.
drop view if exists ops.unknown_request;
create view ops.unknown_request as
select
    encode(a.api_request_hk, 'hex')::uuid as request_id, a.load_date as booked_at, p.provider_bk::text as provider,
    s.model_used::text as model, s.response_status::text as response_status, count(*) as unknown_calls,
    count(*) * round(coalesce(
        max((s.decision ->> 'worst_provider_usd')::numeric), s.reserved_cost / nullif(1 + s.markup_percent / 100, 0)
    ), 10) as worst_case_usd
from gateway.api_request_attempt_s as a
inner join gateway.api_request_s as s on a.api_request_hk = s.api_request_hk and a.customer_hk = s.customer_hk
inner join gateway.ai_provider_h as p on a.provider_hk = p.provider_hk
where a.outcome = 'UNKNOWN' and not a.is_own_key and a.api_request_hk >= ops.fn_check_from()
    and (s.markup_percent > -100 or s.decision ? 'worst_provider_usd')
group by
    a.api_request_hk, a.load_date, p.provider_bk, s.model_used, s.response_status, s.reserved_cost, s.markup_percent;

comment on view ops.unknown_request is
'Calls of the last two days (onevault.check_from) whose outcome nobody knows, since worker or front died: nobody was
charged for them, the provider may charge the house.';
comment on column ops.unknown_request.worst_case_usd is 'The most these calls can cost the house.';
