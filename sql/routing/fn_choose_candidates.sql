-- The offers to try, in order, and what to hold: the dearest of them, where failover may end. The sandbox answers only
-- when asked by name or when nothing real fits. Equals are told apart by the seed, which is recorded. Scores would
-- double what a decision costs: cheapest and best, most calls, need none. Past offers, and those for calls that may use
-- more than text in the standard tier, are scored: both ways choose the same.
create or replace function gateway.fn_choose_candidates(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_principal ops.principal, p_compliance_levels text[], p_rule ops.rule, p_is_free boolean, p_seed bigint,
    p_epoch bigint, p_seen jsonb,
    out hold_usd numeric, out provider_hk bytea, out provider_bk text, out model_bk text, out reason text,
    out candidates jsonb, out prices jsonb, out offers jsonb, out seen jsonb, out limited jsonb, out keys jsonb,
    out worst_provider_usd numeric
)
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_offers refcursor;
    v_offer record;
    v_own_keys jsonb := case when p_principal.own_keys is not null
        then gateway.fn_open_own_keys(p_principal.own_keys, p_now, p_seen, p_features.closed) end;
    v_resting jsonb := gateway.fn_list_resting(p_now, p_seen, v_own_keys, p_features, p_prompt_tokens);
    v_best_is_sandbox boolean;
    v_most smallint := coalesce(p_rule.max_attempts, 3);
    v_by_quality boolean := coalesce(p_rule.quality_weight > 0, false);
    v_is_measured boolean := coalesce(p_rule.latency_weight > 0 or p_rule.strategy = 'LEAST_OUTSTANDING', false);
    v_is_special boolean := coalesce(p_features.is_special, false);
    v_is_scored boolean := p_epoch is not null or v_is_special or gateway.fn_needs_scores(p_rule, p_is_free);
    v_rules jsonb;
    v_own record;
begin
    candidates := '[]';
    prices := '[]';
    offers := '[]';
    seen := case when p_seen is null and v_resting <> '[]' then jsonb_build_object('resting', v_resting) else '{}' end;
    if v_own_keys is not null then
        keys := '[]';
        seen := seen || jsonb_strip_nulls(jsonb_build_object('resting_keys', v_own_keys -> '/resting'));
    end if;
    if p_principal.charge_rules is not null then
        select c.rules, fn_choose_candidates.seen || c.seen into v_rules, seen
        from gateway.fn_read_charge_rules(p_principal, p_now, p_seen) as c;
    end if;
    -- Prices of his own are in the way of an offer only where he may not spend more than so much.
    if v_own_keys is not null or v_rules is not null and coalesce(p_features.max_cost, p_features.room_usd) is not null then
        open v_offers for
            select b.*
            from gateway.fn_rank_own_offers(
                p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal, p_compliance_levels, p_rule,
                p_is_free, p_seed, p_epoch, p_seen, v_resting, v_own_keys, v_is_scored, v_is_measured, v_most, v_rules
            ) as b
            order by b.rank;
    elsif v_is_scored then
        open v_offers for
            select
                r.provider_hk, r.provider_bk, r.model_bk, r.is_sandbox, r.candidate, r.prices, r.output_tokens,
                r.full_output_tokens, r.version, r.worst_provider_cost_usd, r.own_keys, r.falls_back, r.is_warm,
                max(r.version) filter (where r.is_last) over () as last,
                case when v_is_measured then jsonb_object_agg(
                    r.version, jsonb_build_array(r.first_byte_ms, r.ms_per_token, r.outstanding)
                ) over () end as measures
            from gateway.fn_score_offers(
                p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal, p_compliance_levels, p_rule,
                p_is_free, p_seed, p_epoch, p_seen, null, v_is_special, null
            ) as r
            where r.dropped_because is null
            order by
                r.is_sandbox, r.is_resting, not r.is_warm, r.place,
                not coalesce(r.provider_bk = any(p_principal.preferred_providers), false), r.score,
                r.worst_provider_cost_usd, hashint8extended(r.version, p_seed)
            limit v_most;
    else
        -- Narrow rows are sorted, and only the best of them are looked up.
        open v_offers for
            with best as (
                select
                    r.is_sandbox, r.is_resting,
                    not coalesce(r.provider_bk = any(p_principal.preferred_providers), false) as is_stranger,
                    r.version, r.output_tokens, r.full_output_tokens,
                    case when v_by_quality then -coalesce(r.quality_score, 0) end as quality_rank,
                    r.worst_provider_cost_usd, hashint8extended(r.version, p_seed) as lot
                from gateway.fn_rank_offers(
                    p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
                    p_principal.allowed_models, p_compliance_levels, p_rule.min_quality_score, null, null, v_resting,
                    null, false, null
                ) as r
                where r.unroutable_because is null and r.dropped_because is null
                order by
                    r.is_sandbox, r.is_resting, is_stranger, quality_rank, r.worst_provider_cost_usd, lot
                limit v_most
            )

            select
                o.provider_hk, o.provider_bk, o.model_bk, b.is_sandbox, o.candidate, o.prices, b.output_tokens,
                b.full_output_tokens, b.version, b.worst_provider_cost_usd, null::jsonb as own_keys, false as falls_back,
                false as is_warm, null::bigint as last, null::jsonb as measures
            from best as b
            inner join ops.offer as o on b.version = o.version
            order by b.is_sandbox, b.is_resting, b.is_stranger, b.quality_rank, b.worst_provider_cost_usd, b.lot;
    end if;
    loop
        fetch v_offers into v_offer;
        exit when not found;
        if v_best_is_sandbox is null then
            v_best_is_sandbox := v_offer.is_sandbox;
            provider_hk := v_offer.provider_hk;
            provider_bk := v_offer.provider_bk;
            model_bk := v_offer.model_bk;
            limited := gateway.fn_tell_limit(v_offer.output_tokens, v_offer.full_output_tokens, p_features);
            reason := case when v_offer.is_warm then 'stays with its conversation' end;
            if v_is_scored then
                seen := seen || jsonb_strip_nulls(jsonb_build_object('measures', v_offer.measures, 'last', v_offer.last));
            end if;
        end if;
        exit when v_offer.is_sandbox <> v_best_is_sandbox;
        if v_own_keys is not null or v_rules is not null then
            v_own := gateway.fn_hold_own(
                v_rules, v_offer.version, v_offer.candidate, v_offer.prices, v_offer.own_keys, v_offer.falls_back,
                v_offer.output_tokens, v_offer.worst_provider_cost_usd, p_principal.markup_percent, p_features,
                p_prompt_tokens
            );
            v_offer.candidate := v_own.candidate;
            v_offer.prices := v_own.prices;
            keys := keys || to_jsonb(gateway.fn_name_keys(v_offer.candidate));
            hold_usd := greatest(hold_usd, v_own.hold_usd);
            worst_provider_usd := greatest(worst_provider_usd, v_own.worst_provider_usd);
        else
            hold_usd := greatest(hold_usd, v_offer.worst_provider_cost_usd * (1 + p_principal.markup_percent / 100));
        end if;
        -- A plain answer's first byte comes when all of it is made.
        candidates := candidates || (v_offer.candidate || jsonb_build_object(
            'max_output_tokens', v_offer.output_tokens,
            'first_byte_timeout_ms', (v_offer.candidate ->> 'first_byte_timeout_ms')::integer
                * case when p_features.stream then 1 else 5 end
        ));
        prices := prices || v_offer.prices;
        offers := offers || to_jsonb(v_offer.version);
    end loop;
    close v_offers;
    -- Held to the tenth decimal, upwards, as the books keep it.
    hold_usd := round(ceil(hold_usd * 10000000000) / 10000000000, 10);
    reason := coalesce(reason, gateway.fn_name_strategy(p_rule, p_provider, p_model, p_is_free));
end
$$;

comment on function gateway.fn_choose_candidates(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb
) is 'The best offers for a call in order, the amount to hold, the prices it will be billed at, what it rested on.';
