-- How much of the tightest budget of a call is gone, holds included: of the token's and the customer's, day and month.
create or replace function gateway.fn_measure_budget(p_principal ops.principal, p_now timestamptz) returns numeric
language sql stable
set search_path = ''
begin atomic
    select coalesce(round(max(100 * b.used / nullif(b.budget, 0)), 2), 0)
    from (values (p_now at time zone (p_principal).time_zone)) as n (moment)
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
            case when s.day_number = n.moment::date - date '1970-01-01' then s.day_spent_usd + s.day_held_usd else 0 end
        ),
        (
            p.monthly,
            case
                when s.month_number = (extract(year from n.moment) - 1970) * 12 + extract(month from n.moment) - 1
                    then s.month_spent_usd + s.month_held_usd
                else 0
            end
        )
    ) as b (budget, used);
end;

comment on function gateway.fn_measure_budget(ops.principal, timestamptz) is
'Percent of the tightest budget (customer or token, day or month) that is spent or held; 0 without a budget.';
