-- Which limit of a scope refused, told with its figures. Runs on the way out only. A null status means that there
-- is room again since.
create or replace function gateway.fn_refuse_scope(
    p_scope_hk bytea, p_hold_usd numeric, p_now timestamptz, p_requests_per_minute integer, p_day_number integer,
    p_month_number integer, p_daily_budget_usd numeric, p_monthly_budget_usd numeric, p_time_zone text
) returns gateway.route_decision
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
    v_step_us bigint := 60000000 / p_requests_per_minute;
    v_wait_us bigint;
    v_state record;
    v_period record;
    v_decision gateway.route_decision;
begin
    select
        s.scope_kind, s.rate_full_at_us,
        case when s.day_number = p_day_number then s.day_spent_usd else 0 end as day_spent,
        case when s.day_number = p_day_number then s.day_held_usd else 0 end as day_held,
        case when s.month_number = p_month_number then s.month_spent_usd else 0 end as month_spent,
        case when s.month_number = p_month_number then s.month_held_usd else 0 end as month_held
    into v_state
    from ops.scope_state as s where s.scope_hk = p_scope_hk;

    v_wait_us := v_state.rate_full_at_us - v_now_us + v_step_us - 60000000;
    if v_wait_us > 0 then
        v_decision := gateway.fn_refuse(
            'rate_limited', 429,
            format('More than %s requests a minute. Wait %s seconds.', p_requests_per_minute,
                ceil(v_wait_us / 1000000.0)::text),
            jsonb_build_object('scope', v_state.scope_kind), ceil(v_wait_us / 1000.0)::bigint
        );
        v_decision.rate_limit := p_requests_per_minute;
        v_decision.rate_remaining := 0;
        v_decision.rate_reset_ms := (v_state.rate_full_at_us - v_now_us) / 1000;
        return v_decision;
    end if;

    select p.* into v_period
    from (
        values
        ('daily', p_daily_budget_usd, v_state.day_spent, v_state.day_held,
            ((date '1970-01-01' + p_day_number + 1)::timestamp at time zone p_time_zone)),
        ('monthly', p_monthly_budget_usd, v_state.month_spent, v_state.month_held,
            ((date '1970-01-01' + make_interval(months => p_month_number + 1))::timestamp at time zone p_time_zone))
    ) as p (period, limit_usd, spent_usd, held_usd, resets_at)
    where p.spent_usd + p.held_usd + p_hold_usd > p.limit_usd
    order by p.resets_at desc
    limit 1;
    if not found then
        return null;
    end if;

    return gateway.fn_refuse(
        'budget_exceeded', 402,
        format('The %s budget of this %s is %s USD; %s are spent and %s held by calls under way, this call may need %s. '
            'It resets at %s. Raise the budget, lower max_tokens, or wait.',
            v_period.period, v_state.scope_kind, trim_scale(v_period.limit_usd)::text,
            trim_scale(v_period.spent_usd)::text, trim_scale(v_period.held_usd)::text, trim_scale(p_hold_usd)::text,
            to_char(v_period.resets_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
        jsonb_build_object('budget', jsonb_build_object(
            'scope', v_state.scope_kind, 'period', v_period.period, 'limit_usd', trim_scale(v_period.limit_usd),
            'spent_usd', trim_scale(v_period.spent_usd), 'held_usd', trim_scale(v_period.held_usd),
            'needed_usd', trim_scale(p_hold_usd),
            'resets_at', to_char(v_period.resets_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        ))
    );
end
$$;

comment on function gateway.fn_refuse_scope(
    bytea, numeric, timestamptz, integer, integer, integer, numeric, numeric, text
) is 'The refusal of a scope that had no room: 429 with the wait, or 402 with the budget and its figures.';
