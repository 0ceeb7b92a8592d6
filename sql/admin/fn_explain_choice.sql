-- One listing for all who ask why: explain_route about a call that could be, why about one that was.
create or replace function admin.fn_explain_choice(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz,
    p_seed bigint, p_epoch bigint, p_seen jsonb
) returns table (
    provider text, model text, rank bigint, worst_case_cost_usd numeric, score numeric, chosen boolean, reason text,
    uses_key text, charged_by text
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_choice gateway.route_choice := gateway.fn_decide(
        p_principal, p_features, p_prompt_tokens, p_now, p_seed, p_epoch, p_seen
    );
    v_match record := gateway.fn_match_rule(p_principal, p_features, p_prompt_tokens, p_now, p_epoch, p_seen);
    v_rule ops.rule := v_match.rule;
    v_own_keys jsonb := case when p_principal.own_keys is not null
        then gateway.fn_open_own_keys(p_principal.own_keys, p_now, p_seen, p_features.closed) end;
    v_target record := gateway.fn_resolve_model(p_features.model, v_rule);
    v_targets text[] := case when v_target.is_free then v_rule.target_names end;
    v_rules jsonb;
    v_charges jsonb;
begin
    if p_principal.charge_rules is not null then
        v_rules := (gateway.fn_read_charge_rules(p_principal, p_now, p_seen)).rules;
        v_charges := gateway.fn_list_charges(
            p_now, gateway.fn_add_caller(p_features, p_principal), v_target.provider, v_target.model, p_prompt_tokens,
            p_principal.markup_percent, v_rules, v_targets, p_epoch, true
        );
    end if;
    if v_rule.deny_reason is null then
        return query
        select
            r.provider_bk, r.model_bk, t.place,
            trim_scale(ceil(r.worst_customer_cost_usd * 10000000000) / 10000000000), round(r.score::numeric, 6),
            coalesce(t.place = 1, false),
            case
                when t.place = 1 then v_choice.reason
                when t.place > 1 then format('tried as number %s, if those before it fail', t.place)
                when r.dropped_because is not null then admin.fn_explain_drop(r.dropped_because)
                when r.is_sandbox then 'left out: the sandbox answers when asked by name or when nothing else fits'
                when r.is_resting then 'left out: it rests after failures or at its provider''s limit, and others fit'
                else format('left out: it fits, but %s are tried at most', coalesce(v_rule.max_attempts, 3))
            end,
            case when r.dropped_because is null then gateway.fn_name_keys(case
                when r.own_keys is null then r.candidate
                else gateway.fn_put_own_keys(r.candidate, r.own_keys, r.falls_back)
            end) end,
            case when v_charges is not null and (r.own_keys is null or r.falls_back) then gateway.fn_describe_terms(
                gateway.fn_find_charge_terms(v_rules, r.provider_bk, r.model_bk)
            ) end
        from gateway.fn_score_offers(
            p_now, gateway.fn_add_caller(p_features, p_principal), v_target.provider, v_target.model, p_prompt_tokens, p_principal,
            p_principal.compliance_levels || v_rule.compliance_requirements, v_rule, v_target.is_free, p_seed,
            p_epoch, p_seen, v_own_keys, true, v_charges
        ) as r
        left join jsonb_array_elements(v_choice.record -> 'offers') with ordinality as t (version, place)
            on t.version = to_jsonb(r.version)
        order by t.place nulls last, r.dropped_because is not null, r.worst_customer_cost_usd, r.provider_bk, r.model_bk;
    end if;
    if (v_choice.refusal).status is not null then
        reason := 'refused: ' || (v_choice.refusal).message;
        chosen := false;
        return next;
    end if;
end
$$;

comment on function admin.fn_explain_choice(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint, bigint, jsonb
) is 'Every offer that could be meant in the order of trying, then those left out and dropped, each with the reason.';
