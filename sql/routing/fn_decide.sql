-- The whole decision about a call, from rule to candidates, and nothing but reading: the road makes it, explain_route
-- shows it, replays make it again as of its epoch. One snapshot, so that the epoch says which rules and offers it saw.
create or replace function gateway.fn_decide(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz,
    p_seed bigint, p_epoch bigint default null, p_seen jsonb default null
) returns gateway.route_choice
language plpgsql
stable
set search_path = ''
as $$
declare
    v_features gateway.request_features := gateway.fn_add_caller(p_features, p_principal);
    v_match record;
    v_rule ops.rule;
    v_target record;
    v_best record;
    v_choice gateway.route_choice;
begin
    v_match := gateway.fn_match_rule(p_principal, v_features, p_prompt_tokens, p_now, p_epoch, p_seen);
    v_rule := v_match.rule;
    v_choice.rule_hk := v_rule.routing_rule_hk;
    if v_rule.deny_reason is not null then
        v_choice.refusal := gateway.fn_deny_call(v_rule);
        return v_choice;
    end if;
    v_target := gateway.fn_resolve_model(v_features.model, v_rule);
    v_choice.compliance := p_principal.compliance_levels || v_rule.compliance_requirements;
    if v_features.needs is not null and 'storage' = any(v_features.needs) and 'ZERO_RETENTION' = any(v_choice.compliance) then
        v_choice.refusal := gateway.fn_refuse(
            'compliance_blocked', 403, '`store` cannot be true: nothing of this call may be kept (ZERO_RETENTION).',
            jsonb_build_object('param', 'store', 'rule', v_rule.rule_name, 'required', v_choice.compliance)
        );
        return v_choice;
    end if;
    if v_features.betas is not null and not v_features.betas <@ p_principal.allowed_betas then
        v_choice.refusal := gateway.fn_refuse_betas(v_features.betas, p_principal.allowed_betas);
        return v_choice;
    end if;
    v_best := gateway.fn_choose_candidates(
        p_now, v_features, v_target.provider, v_target.model, p_prompt_tokens, p_principal, v_choice.compliance, v_rule,
        v_target.is_free, p_seed, p_epoch, p_seen
    );
    if v_best.hold_usd is null then
        v_choice.refusal := gateway.fn_refuse_unroutable(
            p_now, v_features, v_target.provider, v_target.model, p_prompt_tokens, p_principal, v_choice.compliance,
            v_rule, v_target.is_free, p_epoch, p_seen
        );
        return v_choice;
    end if;
    v_choice.reason := left(coalesce(v_rule.rule_name, 'no rule') || ': ' || v_best.reason, 100);
    v_choice.provider_hk := v_best.provider_hk;
    v_choice.provider_bk := v_best.provider_bk;
    v_choice.model_bk := v_best.model_bk;
    v_choice.hold_usd := v_best.hold_usd;
    v_choice.candidates := case when p_features.betas is null then v_best.candidates
        else gateway.fn_mark_betas(v_best.candidates, p_features.betas, p_principal.allowed_betas) end;
    v_choice.prices := v_best.prices;
    v_choice.is_sticky := v_rule.is_sticky;
    v_choice.is_hedged := v_rule.is_hedged;
    v_choice.record := jsonb_build_object(
        'epoch', coalesce(p_epoch, (select e.number from ops.epoch as e)), 'principal', p_principal.version,
        'seed', p_seed, 'offers', v_best.offers,
        'seen', v_best.seen || case when v_match.budget_used_percent is null then '{}'::jsonb
            else jsonb_build_object('budget', v_match.budget_used_percent) end
    );
    if v_best.limited is not null then
        v_choice.record := v_choice.record || jsonb_build_object('limited', v_best.limited);
    end if;
    if v_best.keys is not null then
        v_choice.record := v_choice.record || jsonb_build_object('keys', v_best.keys);
    end if;
    if v_best.worst_provider_usd is not null then
        v_choice.record := v_choice.record || jsonb_build_object('worst_provider_usd', v_best.worst_provider_usd);
    end if;
    if p_seen is null then
        v_choice.record := v_choice.record || gateway.fn_keep_question(v_features, p_prompt_tokens);
    end if;
    return v_choice;
end
$$;

comment on function gateway.fn_decide(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint, bigint, jsonb
) is 'What is decided about a call, or the refusal. It changes nothing. With an epoch and what was seen then: made
again.';
