-- The rules of prices that can apply to a customer's calls, those that count first in front. Days are made moments of
-- his tenant's time zone here, and a plan's rule stands once for each time in which he has the plan, so that nothing
-- needs a clock: a decision looks which of them holds. NULL for nearly everybody.
create or replace function ops.fn_list_charge_rules(p_customer_hk bytea, p_tenant_hk bytea, p_time_zone text)
returns jsonb
language sql stable
set search_path = ''
begin atomic
    select jsonb_agg(
        jsonb_strip_nulls(jsonb_build_object(
            'rule', h.charge_rule_bk, 'load_date', s.load_date, 'provider', p.provider_bk, 'model', m.model_bk,
            'meter', s.meter, 'markup_percent', trim_scale(s.markup_percent),
            'usd_per_million', trim_scale(s.usd_per_million),
            'from_month_usd', nullif(trim_scale(s.from_month_usd), 0), 'minimum_usd', trim_scale(s.minimum_usd),
            'passes_cache_savings', nullif(s.passes_cache_savings, true),
            'since', nullif(d.since::timestamp at time zone p_time_zone, '-infinity'),
            'until', nullif(d.until::timestamp at time zone p_time_zone, 'infinity')
        ))
        order by
            s.customer_hk is not null desc, s.plan_hk is not null desc, s.tenant_hk is not null desc,
            s.model_hk is not null desc, s.provider_hk is not null desc,
            -- What keeps cache savings by the price of input speaks of what a cache gave, after those that name it.
            case when s.meter is null then 3 when s.meter in ('input', 'input_audio') then 2 else 1 end,
            s.from_month_usd desc, s.valid_from desc, h.charge_rule_bk, d.since
    )
    from gateway.charge_rule_s as s
    inner join gateway.charge_rule_h as h on s.charge_rule_hk = h.charge_rule_hk
    left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
    left join gateway.model_h as m on s.model_hk = m.model_hk
    left join gateway.subscription_l as l on s.plan_hk = l.plan_hk and l.customer_hk = p_customer_hk
    left join gateway.subscription_s as u on l.subscription_hk = u.subscription_hk and u.load_end_date is null
    cross join lateral (
        values (greatest(s.valid_from, u.valid_from), least(s.valid_to, u.valid_to))
    ) as d (since, until)
    where
        s.load_end_date is null and s.is_active and (s.customer_hk is null or s.customer_hk = p_customer_hk)
        and (s.tenant_hk is null or s.tenant_hk = p_tenant_hk)
        and (s.plan_hk is null or u.subscription_hk is not null) and d.since < d.until;
end;

comment on function ops.fn_list_charge_rules(bytea, bytea, text) is
'The rules of prices that can apply to a customer of this tenant and time zone, in the order in which they count, with
the moments between which each holds; NULL for none.';
