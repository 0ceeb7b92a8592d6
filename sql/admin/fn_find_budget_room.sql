-- The road asks budgets last: who has no room for a call is given a shorter answer, or refused with the figures of the
-- budget. So what is explained is asked in the same way, without reserving; gateway.fn_fit_call is the road's.
create or replace function admin.fn_find_budget_room(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz,
    p_seed bigint, out room_usd numeric, out refusal text
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_local timestamp := p_now at time zone p_principal.time_zone;
    v_day integer := v_local::date - date '1970-01-01';
    v_month integer := ((extract(year from v_local) - 1970) * 12 + extract(month from v_local) - 1)::integer;
    v_room numeric := gateway.fn_measure_room(p_principal, v_day, v_month);
    v_features gateway.request_features := p_features;
    v_choice gateway.route_choice;
    v_hold numeric;
begin
    if v_room is null then
        return;
    end if;
    v_choice := gateway.fn_decide(p_principal, p_features, p_prompt_tokens, p_now, p_seed);
    v_hold := v_choice.hold_usd * case when p_features.max_output_tokens is null then 8 else 1 end;
    if (v_choice.refusal).status is not null or v_hold <= v_room then
        return;
    end if;
    room_usd := v_room;
    v_features.room_usd := v_room;
    if ((gateway.fn_decide(p_principal, v_features, p_prompt_tokens, p_now, p_seed)).refusal).status is null then
        return;
    end if;
    refusal := coalesce(
        (gateway.fn_refuse_scope(
            p_principal.customer_hk, v_hold, p_now, p_principal.requests_per_minute, v_day, v_month,
            p_principal.daily_budget_usd, p_principal.monthly_budget_usd, p_principal.time_zone
        )).message,
        (gateway.fn_refuse_scope(
            p_principal.token_hk, v_hold, p_now, p_principal.token_requests_per_minute, v_day, v_month,
            p_principal.token_daily_budget_usd, p_principal.token_monthly_budget_usd, p_principal.time_zone
        )).message
    );
end
$$;

comment on function admin.fn_find_budget_room(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint
) is 'What budgets leave for a call that they do not pay in full, and how it would be refused if for none; else NULLs.';
