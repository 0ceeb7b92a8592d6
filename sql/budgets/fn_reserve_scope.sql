-- Rate bucket and both budget windows of one scope in one conditional update: it moves all of them or nothing. A
-- window of an earlier day or month begins again at zero; what is still held there is settled by its own numbers.
create or replace function gateway.fn_reserve_scope(
    p_scope_hk bytea, p_hold_usd numeric, p_now_us bigint, p_requests_per_minute integer, p_day_number integer,
    p_month_number integer, p_daily_budget_usd numeric, p_monthly_budget_usd numeric, p_share integer default 1
) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_step_us bigint := 60000000 / p_requests_per_minute;
    v_full_at_us bigint;
begin
    update ops.scope_state as s set
        rate_full_at_us = greatest(s.rate_full_at_us, p_now_us) + coalesce(v_step_us, 0),
        day_number = p_day_number,
        day_spent_usd = case when s.day_number = p_day_number then s.day_spent_usd else 0 end,
        day_held_usd = case when s.day_number = p_day_number then s.day_held_usd else 0 end + p_hold_usd,
        day_ceiling_usd = p_daily_budget_usd,
        month_number = p_month_number,
        month_spent_usd = case when s.month_number = p_month_number then s.month_spent_usd else 0 end,
        month_held_usd = case when s.month_number = p_month_number then s.month_held_usd else 0 end + p_hold_usd,
        month_ceiling_usd = p_monthly_budget_usd
    where
        s.scope_hk = p_scope_hk
        and (v_step_us is null or greatest(s.rate_full_at_us, p_now_us) - p_now_us + v_step_us <= 60000000)
        and (
            p_daily_budget_usd is null
            or case when s.day_number = p_day_number then s.day_spent_usd + s.day_held_usd else 0 end
            + p_hold_usd * p_share <= p_daily_budget_usd
        )
        and (
            p_monthly_budget_usd is null
            or case when s.month_number = p_month_number then s.month_spent_usd + s.month_held_usd else 0 end
            + p_hold_usd * p_share <= p_monthly_budget_usd
        )
    returning s.rate_full_at_us into v_full_at_us;
    return v_full_at_us;
end
$$;

comment on function gateway.fn_reserve_scope(
    bytea, numeric, bigint, integer, integer, integer, numeric, numeric, integer
) is
'Takes one request and its worst-case cost from a scope that has room for p_share of them; returns when its rate bucket
is full again, NULL when refused.';
