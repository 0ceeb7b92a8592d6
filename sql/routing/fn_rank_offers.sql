-- Every offer that could be meant, with its worst-case price and, where it is dropped, why. Inlined into its callers:
-- the road asks for the best few, explain_route for all. With an epoch the offers of then. p_resting names those at
-- rest. By a key of his own a customer pays the fee, and the house's price only if its key has to follow, which it does
-- not where that is more than the call may cost. What p_own_keys or p_charges NULL or p_is_special false is unplanned.
create or replace function gateway.fn_rank_offers(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_markup_percent numeric, p_allowed_models text[], p_compliance_levels text[], p_min_quality numeric,
    p_targets text[], p_epoch bigint, p_resting jsonb, p_own_keys jsonb, p_is_special boolean, p_charges jsonb
) returns table (
    offer_hk bytea, version bigint, provider_hk bytea, provider_bk text, model_bk text, is_sandbox boolean,
    quality_score numeric, context_tokens integer, candidate jsonb, prices jsonb, output_tokens integer,
    full_output_tokens integer, worst_provider_cost_usd numeric, worst_customer_cost_usd numeric, warm_cost_usd numeric,
    is_resting boolean, unroutable_because text, dropped_because text, own_keys jsonb, falls_back boolean,
    rank_cost_usd numeric
)
language sql stable
begin atomic
    select
        w.offer_hk, w.version, w.provider_hk, w.provider_bk, w.model_bk, w.is_sandbox, w.quality_score,
        w.context_tokens, w.candidate, w.prices, w.output_tokens, w.full_output_tokens, w.provider_cost_usd,
        case when w.own_keys is null or w.follows then greatest(w.customer_cost_usd, w.fee_usd) else w.fee_usd end,
        w.warm_cost_usd * case when w.own_keys is null then 1 else w.own_factor end,
        w.somebody_rests and w.resting @> to_jsonb(w.version),
        w.unroutable_because,
        case
            when w.unroutable_because is not null
                and (p_own_keys is null or w.unroutable_because <> 'no_key' or w.own_keys is null and not w.stays)
                then w.unroutable_because
            when p_own_keys is not null and w.unroutable_because is not null and w.provider_cost_usd is null
                then 'no_price'
            when not w.capability = any(w.capabilities) then 'capability'
            when w.stream and not 'stream' = any(w.features) then 'stream'
            when w.tools and not 'tools' = any(w.features) then 'tools'
            when w.vision and not 'vision' = any(w.features) then 'vision'
            when w.structured and not 'structured' = any(w.features) then 'structured'
            when w.inputs > w.max_inputs then 'inputs'
            when not w.surface = any(w.surfaces) then 'surface'
            when p_allowed_models is not null and not (
                w.model_bk = any(p_allowed_models) or w.provider_bk || '/' || w.model_bk = any(p_allowed_models)
            ) then 'model_not_allowed'
            when p_is_special and not (w.features @> w.needs and gateway.fn_takes_betas(w.betas, w.candidate))
                then 'unsupported'
            when p_is_special and w.service_tier <> w.asked_tier then 'service_tier'
            when p_is_special and w.is_unpriced and w.capability <> 'rerank' then 'no_price'
            when w.is_bound and not w.compliance_levels @> p_compliance_levels then 'compliance'
            -- The provider knows its context best; a context that ends where prices change is ours to keep.
            when case when w.context_is_price_limit then p_prompt_tokens else w.least_prompt_tokens end
                > w.context_tokens then 'context'
            when p_min_quality is not null and not coalesce(w.quality_score >= p_min_quality, false) then 'quality'
            when w.own_keys is null and w.stays then 'own_key'
            when w.max_cost < case when w.own_keys is null then w.customer_cost_usd else w.fee_usd end then 'max_cost'
            when
                w.room_output_tokens is not null
                and w.output_tokens * w.choice_millions * 1000000 > w.room_output_tokens
                or w.closed is not null
                and w.closed && array[w.model_bk, w.provider_bk || '/' || w.model_bk, w.provider_bk || '/*']
                then 'limit'
        end,
        w.own_keys, w.follows,
        case when w.own_keys is null then w.provider_cost_usd else w.provider_cost_usd * w.own_factor end
    from (
        select
            q.*, o.offer_hk, o.version, o.provider_hk, o.provider_bk, o.model_bk, o.is_sandbox, o.context_tokens,
            o.context_is_price_limit, o.candidate, o.prices, o.unroutable_because, o.capabilities, o.features,
            o.compliance_levels, o.service_tier, o.max_inputs, f.full_output_tokens, n.output_tokens, k.own_keys,
            k.stays, g.*, c.*, y.*, (x.held).is_unpriced, o.surfaces,
            coalesce((o.quality_by_type ->> q.request_type)::numeric, o.quality_score) as quality_score,
            q.prompt_millions * o.cache_read_usd_per_million
            + n.output_tokens * q.choice_millions * e.output_usd as warm_cost_usd
        from gateway.fn_read_call(
            p_features, p_prompt_tokens, p_markup_percent, p_compliance_levels, p_resting, p_own_keys
        ) as q
        cross join gateway.fn_list_offers(p_now, p_provider, p_model, p_targets, p_epoch) as o
        cross join lateral (
            select
                nullif(p.own -> 'keys', 'null') as own_keys, coalesce((p.own ->> 'stays')::boolean, false) as stays,
                case when p.own ->> 'keys' is null then q.markup_factor else q.fee_factor end as charge_factor
            from (
                select case when p_own_keys ? o.provider_bk
                    then gateway.fn_pick_own_keys(p_own_keys, o.provider_bk, o.model_bk) end as own
            ) as p
        ) as k
        cross join lateral (values (least(coalesce(q.max_output_tokens, o.default_output_tokens), o.max_output_tokens)))
            as f (full_output_tokens)
        cross join lateral (
            -- Most calls read and write text alone: the columns say what that costs.
            select case when p_is_special and q.extras is not null
                then gateway.fn_hold_extras(
                    q.extras, o.other_usd_per_million, o.worst_input_usd_per_million, o.output_usd_per_million
                ) end as held
        ) as x
        cross join lateral (
            select
                case
                    when p_is_special and (x.held).extra_usd is not null
                        then (x.held).input_usd * case when q.is_strict then 1 else o.prompt_factor end
                    when q.is_strict then o.worst_input_usd_per_million
                    else o.held_input_usd_per_million
                end as input_usd,
                coalesce(case when p_is_special then (x.held).output_usd end, o.output_usd_per_million) as output_usd,
                case when p_is_special then (x.held).extra_usd end as extra_usd
        ) as e
        cross join lateral (values (p_charges -> o.version::text)) as h (charge)
        cross join lateral (values (
            (q.prompt_millions * e.input_usd + coalesce(e.extra_usd, 0)) * k.charge_factor,
            q.choice_millions * e.output_usd * k.charge_factor
        )) as b (prompt_usd, token_usd)
        cross join lateral (
            select case
                when q.max_cost is null and q.room_output_tokens is null or q.makes_pictures then f.full_output_tokens
                else gateway.fn_shorten_answer(
                    f.full_output_tokens,
                    case when p_charges is null or k.own_keys is not null then b.prompt_usd
                        else coalesce((h.charge ->> 0)::numeric, b.prompt_usd) end,
                    case when p_charges is null or k.own_keys is not null then b.token_usd
                        else coalesce((h.charge ->> 1)::numeric, b.token_usd) end, p_features.max_cost, q.room_usd,
                    div(q.room_output_tokens, q.choice_millions * 1000000),
                    (o.usual_output ->> q.request_type)::integer, q.max_output_tokens is not null
                )
            end as output_tokens
        ) as n
        cross join lateral (
            select case when e.extra_usd is null then u.usd else u.usd + e.extra_usd end as provider_cost_usd
            from (
                select q.prompt_millions * e.input_usd + n.output_tokens * q.choice_millions * e.output_usd as usd
            ) as u
        ) as g
        cross join lateral (
            select case when p_charges is null or h.charge is null then g.provider_cost_usd * q.markup_factor
            else greatest(
                (h.charge ->> 0)::numeric + n.output_tokens * (h.charge ->> 1)::numeric, (h.charge ->> 2)::numeric
            ) end as customer_cost_usd
        ) as c
        cross join lateral (
            select k.own_keys is not null and not k.stays and o.unroutable_because is null
                and (q.max_cost is null or c.customer_cost_usd <= q.max_cost) as follows,
                case when k.own_keys is not null then g.provider_cost_usd * q.fee_factor end as fee_usd
        ) as y
        where
            o.above_tokens < q.range_tokens and o.up_to_tokens >= q.range_tokens
            and o.service_tier
            = case when p_is_special and q.asked_tier = any(o.service_tiers) then q.asked_tier else 'standard' end
            and (o.owner_hk is null or o.owner_hk = q.caller_hk)
    ) as w;
end;

comment on function gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb,
    jsonb, boolean, jsonb
) is 'Offers that could serve a call, with worst-case cost and the reason why one is dropped.';
