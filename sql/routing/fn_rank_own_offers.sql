-- The best few for a customer with keys or prices of his own, by scores or without. Apart from the road of all others,
-- so that nothing of it is planned or asked there: without scores that road reads an index of routable offers only, and
-- this one also what the house has no key for, at his providers.
create or replace function gateway.fn_rank_own_offers(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_principal ops.principal, p_compliance_levels text[], p_rule ops.rule, p_is_free boolean, p_seed bigint,
    p_epoch bigint, p_seen jsonb, p_resting jsonb, p_own_keys jsonb, p_is_scored boolean, p_is_measured boolean,
    p_most integer, p_charge_rules jsonb
) returns table (
    provider_hk bytea, provider_bk text, model_bk text, is_sandbox boolean, candidate jsonb, prices jsonb,
    version bigint, output_tokens integer, full_output_tokens integer, worst_provider_cost_usd numeric, own_keys jsonb,
    falls_back boolean, is_warm boolean, last bigint, measures jsonb, rank bigint
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_providers text[] := array(select k.provider from jsonb_object_keys(p_own_keys) as k (provider));
    v_is_special boolean := coalesce(p_features.is_special, false);
    v_charges jsonb := gateway.fn_list_charges(
        p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent, p_charge_rules,
        case when p_is_free then p_rule.target_names end, p_epoch, false
    );
    v_by_quality boolean := coalesce(p_rule.quality_weight > 0, false);
begin
    if p_is_scored then
        return query
        select
            r.provider_hk, r.provider_bk, r.model_bk, r.is_sandbox, r.candidate, r.prices, r.version, r.output_tokens,
            r.full_output_tokens, r.worst_provider_cost_usd, r.own_keys, r.falls_back, r.is_warm,
            max(r.version) filter (where r.is_last) over (),
            case when p_is_measured then jsonb_object_agg(
                r.version, jsonb_build_array(r.first_byte_ms, r.ms_per_token, r.outstanding)
            ) over () end,
            row_number() over (
                order by
                    r.is_sandbox, r.is_resting, not r.is_warm, r.place,
                    not coalesce(r.provider_bk = any(p_principal.preferred_providers), false), r.score,
                    r.rank_cost_usd, r.worst_provider_cost_usd, hashint8extended(r.version, p_seed)
            ) as rank
        from gateway.fn_score_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal, p_compliance_levels, p_rule,
            p_is_free, p_seed, p_epoch, p_seen, p_own_keys, v_is_special, v_charges
        ) as r
        where r.dropped_because is null
        order by rank
        limit p_most;
        return;
    end if;
    return query
    with fitting as (
        select f.*
        from gateway.fn_rank_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            p_principal.allowed_models, p_compliance_levels, p_rule.min_quality_score, null, null, p_resting, p_own_keys,
            false, v_charges
        ) as f
        where f.unroutable_because is null and f.dropped_because is null
        union all
        select f.*
        from gateway.fn_rank_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            p_principal.allowed_models, p_compliance_levels, p_rule.min_quality_score, null, null, p_resting, p_own_keys,
            false, v_charges
        ) as f
        where f.provider_bk = any(v_providers) and f.unroutable_because = 'no_key' and f.dropped_because is null
    )

    select
        b.provider_hk, b.provider_bk, b.model_bk, b.is_sandbox, b.candidate, b.prices, b.version, b.output_tokens,
        b.full_output_tokens, b.worst_provider_cost_usd, b.own_keys, b.falls_back, false, null::bigint, null::jsonb,
        row_number() over (
            order by
                b.is_sandbox, b.is_resting, not coalesce(b.provider_bk = any(p_principal.preferred_providers), false),
                case when v_by_quality then -coalesce(b.quality_score, 0) end, b.rank_cost_usd,
                b.worst_provider_cost_usd, hashint8extended(b.version, p_seed)
        ) as rank
    from fitting as b
    order by rank
    limit p_most;
end
$$;

comment on function gateway.fn_rank_own_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb, jsonb, jsonb, boolean, boolean, integer, jsonb
) is 'The best offers for a call of a customer with keys or prices of his own, in order, and what they were scored by.';
