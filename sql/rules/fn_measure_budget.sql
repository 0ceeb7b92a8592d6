-- How much of the tightest budget of a call is gone, holds included: of the token's and the customer's, day and month,
-- and of limits in USD on all that they, or their tenant, use.
create or replace function gateway.fn_measure_budget(p_principal ops.principal, p_now timestamptz) returns numeric
language sql stable
set search_path = ''
begin atomic
    with n as (select p_now at time zone (p_principal).time_zone as moment),

    budget as (
        select b.budget, b.used
        from n
        cross join lateral (
            values
            ((p_principal).customer_hk, (p_principal).daily_budget_usd, (p_principal).monthly_budget_usd),
            ((p_principal).token_hk, (p_principal).token_daily_budget_usd, (p_principal).token_monthly_budget_usd)
        ) as p (scope_hk, daily, monthly)
        inner join ops.scope_state as s on p.scope_hk = s.scope_hk
        cross join lateral (
            values
            (
                p.daily,
                case
                    when s.day_number = util.fn_window_number(n.moment, 'DAY') then s.day_spent_usd + s.day_held_usd
                    else 0
                end
            ),
            (
                p.monthly,
                case
                    when s.month_number = util.fn_window_number(n.moment, 'MONTH')
                        then s.month_spent_usd + s.month_held_usd
                    else 0
                end
            )
        ) as b (budget, used)
        union all
        select
            case when l.raised_until > p_now then l.raised_amount else l.amount end,
            case when l.window_number = util.fn_window_number(n.moment, l.period) then l.spent + l.held else 0 end
        from n
        cross join ops.usage_limit as l
        where
            l.usage_limit_hk = any((p_principal).limit_hks) and l.unit = 'USD'
            and l.provider_bk is null and l.model_bk is null
    )

    select coalesce(round(max(100 * b.used / nullif(b.budget, 0)), 2), 0) from budget as b;
end;

comment on function gateway.fn_measure_budget(ops.principal, timestamptz) is
'Percent of the tightest budget (customer or token by the day or month, or a limit in USD on all) that is spent or held;
0 without a budget.';
