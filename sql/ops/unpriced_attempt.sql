-- What was used without a price: routing refuses what a call is known to use, so a provider did what nobody asked for,
-- or a price has ended. It is booked in units, so that a price can be set and the difference be found.
drop view if exists ops.invariant_violation;
drop view if exists ops.unpriced_attempt;
create view ops.unpriced_attempt as
select
    a.api_request_hk, a.customer_hk, a.attempt_number, p.provider_bk::text as provider, m.model_bk::text as model,
    a.service_tier::text as service_tier, a.other_usage,
    'used ' || (
        select string_agg(o.key, ', ' order by o.key) from jsonb_each(a.other_usage) as o
    ) || ' at ' || p.provider_bk || '/' || m.model_bk || ', not all of it with a price' as finding
from gateway.api_request_attempt_s as a
inner join gateway.ai_provider_h as p on a.provider_hk = p.provider_hk
inner join gateway.offer_l as l on a.offer_hk = l.offer_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk
where a.has_unpriced_usage and a.api_request_hk >= ops.fn_check_from();

comment on view ops.unpriced_attempt is
'Attempts of the last two days (onevault.check_from) that used something without a price of its own: set one in
admin.price. Must be empty.';
comment on column ops.unpriced_attempt.other_usage is 'What was used, and the price per million that was taken for it.';
