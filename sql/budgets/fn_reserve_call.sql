-- Takes a call from every scope it falls under, customer before token, or from none. Status is null when it was
-- taken; the rate figures are those of the tighter bucket. What frees up between refusing and telling why is tried
-- again.
create or replace function gateway.fn_reserve_call(
    p_principal ops.principal, p_hold_usd numeric, p_now timestamptz, p_now_us bigint, p_day_number integer,
    p_month_number integer, p_share integer default 1
) returns gateway.route_decision
language plpgsql
set search_path = ''
as $$
declare
    v_decision gateway.route_decision;
    v_full_at_us bigint;
    v_token_full_at_us bigint;
    v_step_us bigint := 60000000 / p_principal.requests_per_minute;
    v_token_step_us bigint := 60000000 / p_principal.token_requests_per_minute;
begin
    for v_turn in 1 .. 3 loop
        v_full_at_us := gateway.fn_reserve_scope(
            p_principal.customer_hk, p_hold_usd, p_now_us, p_principal.requests_per_minute, p_day_number,
            p_month_number, p_principal.daily_budget_usd, p_principal.monthly_budget_usd, p_share
        );
        if v_full_at_us is null then
            v_decision := gateway.fn_refuse_scope(
                p_principal.customer_hk, p_hold_usd * p_share, p_now, p_principal.requests_per_minute, p_day_number,
                p_month_number, p_principal.daily_budget_usd, p_principal.monthly_budget_usd, p_principal.time_zone
            );
        elsif p_principal.token_is_limited then
            v_token_full_at_us := gateway.fn_reserve_scope(
                p_principal.token_hk, p_hold_usd, p_now_us, p_principal.token_requests_per_minute, p_day_number,
                p_month_number, p_principal.token_daily_budget_usd, p_principal.token_monthly_budget_usd, p_share
            );
            if v_token_full_at_us is null then
                perform gateway.fn_release_scope(
                    p_principal.customer_hk, p_hold_usd, 0, p_day_number, p_month_number, v_step_us
                );
                v_full_at_us := null;
                v_decision := gateway.fn_refuse_scope(
                    p_principal.token_hk, p_hold_usd * p_share, p_now, p_principal.token_requests_per_minute, p_day_number,
                    p_month_number, p_principal.token_daily_budget_usd, p_principal.token_monthly_budget_usd,
                    p_principal.time_zone
                );
            end if;
        end if;
        exit when v_full_at_us is not null;
        if v_decision.status is not null then
            return v_decision;
        end if;
    end loop;
    if v_full_at_us is null then
        return gateway.fn_refuse(
            'overloaded', 503, 'Too many calls of this account come at the same moment. Try again in a second.', null, 1000
        );
    end if;

    v_decision := null;
    v_decision.rate_limit := p_principal.requests_per_minute;
    v_decision.rate_reset_ms := (v_full_at_us - p_now_us) / 1000;
    v_decision.rate_remaining := (60000000 - (v_full_at_us - p_now_us)) / v_step_us;
    if (60000000 - (v_token_full_at_us - p_now_us)) / v_token_step_us < v_decision.rate_remaining then
        v_decision.rate_limit := p_principal.token_requests_per_minute;
        v_decision.rate_reset_ms := (v_token_full_at_us - p_now_us) / 1000;
        v_decision.rate_remaining := (60000000 - (v_token_full_at_us - p_now_us)) / v_token_step_us;
    end if;
    return v_decision;
end
$$;

comment on function gateway.fn_reserve_call(ops.principal, numeric, timestamptz, bigint, integer, integer, integer) is
'Reserves a call''s worst case in every scope, if each has room for p_share of them, or in none; a decision with a
status is the refusal.';
