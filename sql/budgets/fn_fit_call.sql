-- For calls under limits, and for those that their budgets had no room for. What a limit has no room for goes to
-- another provider, model or key if the limit is about one, else it gets a shorter answer, and only then it is refused.
-- Who names no length shares what is left with the calls after him: as long as it does not pay for eight like this one,
-- he gets what nearly all such calls stay below.
create or replace function gateway.fn_fit_call(
    p_principal ops.principal, p_features gateway.request_features, p_choice gateway.route_choice,
    p_prompt_tokens bigint, p_now timestamptz, p_seed bigint, p_day_number integer, p_month_number integer,
    out decision gateway.route_decision, out choice gateway.route_choice, out limits jsonb
)
language plpgsql
set search_path = ''
as $$
declare
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
    v_features gateway.request_features := p_features;
    v_next gateway.request_features;
    v_other gateway.route_choice;
    v_check record;
    v_limit ops.usage_limit;
    v_taken jsonb;
begin
    choice := p_choice;
    if p_principal.limit_hks is not null then
        perform gateway.fn_lock_limits(p_principal.limit_hks);
    end if;
    for v_turn in 1 .. 8 loop
        v_next := v_features;
        if p_principal.limit_hks is not null then
            v_check := gateway.fn_check_limits(p_principal, choice, v_features, p_prompt_tokens, p_now);
            v_limit := v_check.full_limit;
            v_taken := v_check.taken;
        end if;
        if v_limit.usage_limit_hk is null then
            decision := gateway.fn_reserve_call(
                p_principal, choice.hold_usd, p_now, v_now_us, p_day_number, p_month_number,
                case when v_features.max_output_tokens is null and v_features.room_usd is null then 8 else 1 end
            );
            if decision.status is distinct from 'budget_exceeded' then
                limits := v_taken;
                exit;
            end if;
            v_next.room_usd := least(
                v_features.room_usd, gateway.fn_measure_room(p_principal, p_day_number, p_month_number)
            );
        else
            decision := gateway.fn_refuse_limit(
                v_limit, v_check.needed, v_check.room, p_now, p_principal.time_zone
            );
            if v_limit.provider_bk is not null or v_limit.model_bk is not null then
                v_next.closed := v_features.closed || gateway.fn_name_target(v_limit);
                v_other := gateway.fn_decide(p_principal, v_next, p_prompt_tokens, p_now, p_seed);
                if (v_other.refusal).status is null then
                    v_features := v_next;
                    choice := v_other;
                    continue;
                end if;
                v_next := v_features;
            end if;
            case
                when v_check.room_tokens is not null then
                    v_next.room_tokens := least(v_features.room_tokens, v_check.room_tokens);
                when v_limit.unit = 'USD' and v_limit.provider_key_hk is null then
                    v_next.room_usd := least(v_features.room_usd, trunc(v_check.room, 10));
                else exit;
            end case;
        end if;
        exit when v_next is not distinct from v_features;
        v_other := gateway.fn_decide(p_principal, v_next, p_prompt_tokens, p_now, p_seed);
        exit when (v_other.refusal).status is not null;
        v_features := v_next;
        choice := v_other;
    end loop;
    if decision.status is null and limits is not null then
        perform gateway.fn_take_limits(limits, v_now_us);
    end if;
end
$$;

comment on function gateway.fn_fit_call(
    ops.principal, gateway.request_features, gateway.route_choice, bigint, timestamptz, bigint, integer, integer
) is 'Reserves a call in its limits and budgets, in the form in which they have room for it, or refuses it.';
