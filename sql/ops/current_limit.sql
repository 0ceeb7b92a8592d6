-- What ops.usage_limit must hold beside what is used, straight from the vault: limits that DBAs set, those that
-- customers gave their own keys, and what prepaid customers have paid ahead.
create or replace function ops.fn_key_limit_hk(p_provider_key_hk bytea, p_period text) returns bytea
language sql immutable
return sha256(p_provider_key_hk || convert_to(p_period, 'UTF8'));

comment on function ops.fn_key_limit_hk(bytea, text) is 'The spending limit of an own key by the DAY or the MONTH.';

create or replace function ops.fn_prepaid_limit_hk(p_customer_hk bytea) returns bytea
language sql immutable
return sha256(p_customer_hk || convert_to('PREPAID', 'UTF8'));

comment on function ops.fn_prepaid_limit_hk(bytea) is 'The limit of what a prepaid customer has paid ahead.';

drop view if exists ops.current_limit;
create view ops.current_limit as
select
    h.usage_limit_hk, h.usage_limit_bk::text as limit_name, h.tenant_hk, s.customer_hk, s.token_hk, s.provider_hk,
    ph.provider_bk::text as provider_bk, mh.model_bk::text as model_bk, s.unit::text as unit, s.period::text as period,
    s.amount, s.is_hard, s.raised_amount, s.raised_until, null::bytea as provider_key_hk
from gateway.usage_limit_h as h
inner join gateway.usage_limit_s as s on h.usage_limit_hk = s.usage_limit_hk and s.load_end_date is null
left join gateway.ai_provider_h as ph on s.provider_hk = ph.provider_hk
left join gateway.model_h as mh on s.model_hk = mh.model_hk
union all
select
    ops.fn_key_limit_hk(h.customer_provider_key_hk, l.period), concat(ph.provider_bk, ' key ', h.key_name),
    ch.tenant_hk, h.customer_hk, null, h.provider_hk, ph.provider_bk::text, null, 'USD', l.period, l.amount, true, null,
    null, h.customer_provider_key_hk
from gateway.customer_provider_keys_h as h
inner join gateway.customer_provider_keys_s as s
    on h.customer_provider_key_hk = s.customer_provider_key_hk and s.load_end_date is null
inner join gateway.customer_h as ch on h.customer_hk = ch.customer_hk
inner join gateway.ai_provider_h as ph on h.provider_hk = ph.provider_hk
cross join lateral (
    values ('DAY', s.daily_spending_limit), ('MONTH', s.monthly_spending_limit)
) as l (period, amount)
where s.key_status = 'ACTIVE' and l.amount is not null
union all
select
    ops.fn_prepaid_limit_hk(h.customer_hk), 'prepaid credit', h.tenant_hk, h.customer_hk, null, null, null, null, 'USD',
    'TOTAL', gateway.fn_measure_prepaid(h.customer_hk), true, null, null, null
from gateway.customer_billing_s as s
inner join gateway.customer_h as h on s.customer_hk = h.customer_hk
where s.load_end_date is null and s.is_prepaid;

comment on view ops.current_limit is 'The source of ops.usage_limit: limits in force.';
