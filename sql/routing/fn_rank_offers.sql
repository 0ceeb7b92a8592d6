-- Every offer that could be meant, with its worst-case price and, where it is dropped, why. Inlined into its callers:
-- the road asks for the best few, explain_route for all of them. With an epoch the offers of then. Those rest that
-- p_resting names (gateway.fn_list_resting). Where the customer has a key of his own (p_own_keys,
-- gateway.fn_open_own_keys) he is charged the fee, and the house's price only if its key has to follow; where that
-- would be more than the call may cost, it does not follow. Offers are ranked by what is charged. With NULL
-- for p_own_keys nothing of this is left when it is planned.
create or replace function gateway.fn_rank_offers(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_markup_percent numeric, p_allowed_models text[], p_compliance_levels text[], p_min_quality numeric,
    p_targets text[], p_epoch bigint, p_resting jsonb, p_own_keys jsonb
) returns table (
    offer_hk bytea, version bigint, provider_hk bytea, provider_bk text, model_bk text, is_sandbox boolean,
    quality_score numeric, context_tokens integer, candidate jsonb, prices jsonb, output_tokens integer,
    full_output_tokens integer, worst_provider_cost_usd numeric, worst_customer_cost_usd numeric,
    warm_cost_usd numeric, is_resting boolean, unroutable_because text, dropped_because text, own_keys jsonb,
    falls_back boolean, rank_cost_usd numeric
)
language sql stable
begin atomic
    select
        w.offer_hk, w.version, w.provider_hk, w.provider_bk, w.model_bk, w.is_sandbox, w.quality_score,
        w.context_tokens, w.candidate, w.prices, w.output_tokens, w.full_output_tokens, w.provider_cost_usd,
        w.provider_cost_usd * case when w.own_keys is null or w.follows then w.markup_factor else w.fee_factor end,
        w.warm_cost_usd * case when w.own_keys is null then 1 else w.own_factor end,
        w.somebody_rests and w.resting @> to_jsonb(w.version),
        w.unroutable_because,
        case
            when
                w.unroutable_because is not null
                and (p_own_keys is null or w.unroutable_because <> 'no_key' or w.own_keys is null and not w.stays)
                then w.unroutable_because
            when p_own_keys is not null and w.unroutable_because is not null and w.provider_cost_usd is null
                then 'no_price'
            when not w.capability = any(w.capabilities) then 'capability'
            when w.stream and not 'stream' = any(w.features) then 'stream'
            when w.tools and not 'tools' = any(w.features) then 'tools'
            when w.vision and not 'vision' = any(w.features) then 'vision'
            when w.structured and not 'structured' = any(w.features) then 'structured'
            when p_allowed_models is not null and not (
                w.model_bk = any(p_allowed_models) or w.provider_bk || '/' || w.model_bk = any(p_allowed_models)
            ) then 'model_not_allowed'
            when w.is_bound and not w.compliance_levels @> p_compliance_levels then 'compliance'
            -- The provider knows its context best; a context that ends where prices change is ours to keep.
            when case when w.context_is_price_limit then p_prompt_tokens else w.least_prompt_tokens end
                > w.context_tokens then 'context'
            when p_min_quality is not null and not coalesce(w.quality_score >= p_min_quality, false) then 'quality'
            when w.own_keys is null and w.stays then 'own_key'
            when w.max_cost is not null and w.provider_cost_usd * w.charge_factor > w.max_cost then 'max_cost'
            when
                w.room_output_tokens is not null
                and w.output_tokens * w.choice_millions * 1000000 > w.room_output_tokens
                then 'limit'
            when
                w.closed is not null
                and w.closed && array[w.model_bk, w.provider_bk || '/' || w.model_bk, w.provider_bk || '/*']
                then 'limit'
        end,
        w.own_keys, w.follows,
        case when w.own_keys is null then w.provider_cost_usd else w.provider_cost_usd * w.own_factor end
    from (
        select
            q.*, o.offer_hk, o.version, o.provider_hk, o.provider_bk, o.model_bk, o.is_sandbox, o.context_tokens,
            o.context_is_price_limit, o.candidate, o.prices, o.unroutable_because, o.capabilities, o.features,
            o.compliance_levels, f.full_output_tokens, n.output_tokens, k.own_keys, k.stays, k.charge_factor, g.*,
            coalesce((o.quality_by_type ->> q.request_type)::numeric, o.quality_score) as quality_score,
            q.prompt_millions * o.cache_read_usd_per_million
            + n.output_tokens * q.choice_millions * o.output_usd_per_million as warm_cost_usd
        from (
            -- Taken apart once, not once for each offer, as OFFSET 0 sees to. A CTE would, too, but more would be made.
            select
                p_prompt_tokens * case when p_features.is_strict then 0.000002 else 0.000001 end as prompt_millions,
                p_features.is_strict, p_features.room_usd, p_features.prompt_bytes / 5 as least_prompt_tokens,
                p_features.max_output_tokens,
                greatest(coalesce(p_features.choices, 1), 1) * 0.000001 as choice_millions,
                1 + p_markup_percent / 100 as markup_factor,
                case when p_own_keys is not null then greatest(p_markup_percent, 0) / 100 end as fee_factor,
                case
                    when p_own_keys is not null and p_markup_percent > -100
                        then greatest(p_markup_percent, 0) / (100 + p_markup_percent)
                    else 0
                end as own_factor,
                least(p_features.max_cost, p_features.room_usd) as max_cost, p_features.request_type,
                coalesce(p_features.capability, 'chat') as capability,
                p_features.stream, p_features.tools, p_features.vision, p_features.structured,
                p_features.closed, p_features.room_tokens - p_prompt_tokens as room_output_tokens,
                p_compliance_levels <> '{}' as is_bound, p_resting as resting, p_resting <> '[]' as somebody_rests
            from (values (0)) as once (n) order by once.n offset 0
        ) as q
        cross join (
            -- Conditions stand outside, so that the half that is not asked for is no part of the plan.
            select l.*, true as is_current from ops.offer as l
            union all
            select e.*, false from gateway.fn_offers_at(p_epoch) as e
        ) as o
        cross join lateral (
            select
                nullif(p.own -> 'keys', 'null') as own_keys, coalesce((p.own ->> 'stays')::boolean, false) as stays,
                case when coalesce(p.own -> 'keys', 'null') = 'null' then q.markup_factor else q.fee_factor end
                    as charge_factor
            from (
                select case when p_own_keys ? o.provider_bk
                    then gateway.fn_pick_own_keys(p_own_keys, o.provider_bk, o.model_bk) end as own
            ) as p
        ) as k
        cross join lateral (
            values (least(coalesce(q.max_output_tokens, o.default_output_tokens), o.max_output_tokens))
        ) as f (full_output_tokens)
        cross join lateral (
            select case
                when q.max_cost is null and q.room_output_tokens is null then f.full_output_tokens
                else gateway.fn_shorten_answer(
                    f.full_output_tokens,
                    q.prompt_millions * case
                        when q.is_strict then o.worst_input_usd_per_million else o.held_input_usd_per_million
                    end * k.charge_factor,
                    q.choice_millions * o.output_usd_per_million * k.charge_factor, p_features.max_cost, q.room_usd,
                    div(q.room_output_tokens, q.choice_millions * 1000000),
                    (o.usual_output ->> q.request_type)::integer, q.max_output_tokens is not null
                )
            end as output_tokens
        ) as n
        cross join lateral (
            select
                c.provider_cost_usd,
                k.own_keys is not null and not k.stays and o.unroutable_because is null
                and (q.max_cost is null or c.provider_cost_usd * q.markup_factor <= q.max_cost) as follows
            from (
                select
                    q.prompt_millions * case
                        when q.is_strict then o.worst_input_usd_per_million else o.held_input_usd_per_million
                    end
                    + n.output_tokens * q.choice_millions * o.output_usd_per_million as provider_cost_usd
            ) as c
        ) as g
        where
            o.is_current = (p_epoch is null) and o.valid_from <= p_now and o.valid_to > p_now
            -- One plan for both: a model is a range of one, no model the whole index.
            and o.model_bk >= coalesce(p_model, '') and o.model_bk <= coalesce(p_model, chr(1114111))
            and (p_provider is null or o.provider_bk = p_provider)
            and (
                p_targets is null
                or p_targets && array[o.model_bk, o.provider_bk || '/' || o.model_bk, o.provider_bk || '/*']
            )
    ) as w;
end;

comment on function gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb,
    jsonb
) is 'Offers that could serve a call, with worst-case cost and the reason why one is dropped.';
