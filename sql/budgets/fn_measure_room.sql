-- What a call may still cost: the least that any budget of its customer and its token has left, apart from what calls
-- under way hold. Read without a lock, so reserving has the last word.
create or replace function gateway.fn_measure_room(
    p_principal ops.principal, p_day_number integer, p_month_number integer
) returns numeric
language sql stable
set search_path = ''
begin atomic
    select trunc(min(least(
        b.daily_usd - case when s.day_number = p_day_number then s.day_spent_usd + s.day_held_usd else 0 end,
        b.monthly_usd - case when s.month_number = p_month_number then s.month_spent_usd + s.month_held_usd else 0 end
    )), 10)
    from (
        values
        ((p_principal).customer_hk, (p_principal).daily_budget_usd, (p_principal).monthly_budget_usd),
        (
            case when (p_principal).token_is_limited then (p_principal).token_hk end,
            (p_principal).token_daily_budget_usd, (p_principal).token_monthly_budget_usd
        )
    ) as b (scope_hk, daily_usd, monthly_usd)
    inner join ops.scope_state as s on b.scope_hk = s.scope_hk;
end;

comment on function gateway.fn_measure_room(ops.principal, integer, integer) is
'USD that a call may still cost under the budgets of its customer and token; NULL where none sets a limit.';
