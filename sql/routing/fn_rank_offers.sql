-- Every offer that could be meant, with its worst-case price and, where it is dropped, why. Inlined into its
-- callers: the road asks for the best few, explain_route for all of them.
create or replace function gateway.fn_rank_offers(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_markup_percent numeric, p_allowed_models text[], p_compliance_levels text[]
) returns table (
    offer_hk bytea, provider_hk bytea, provider_bk text, model_bk text, is_sandbox boolean, quality_score numeric,
    context_tokens integer, candidate jsonb, prices jsonb, output_tokens integer, worst_provider_cost_usd numeric,
    worst_customer_cost_usd numeric, is_resting boolean, unroutable_because text, dropped_because text
)
language sql stable
begin atomic
    select
        w.offer_hk, w.provider_hk, w.provider_bk, w.model_bk, w.is_sandbox, w.quality_score, w.context_tokens,
        w.candidate, w.prices, w.output_tokens, w.provider_cost_usd,
        w.provider_cost_usd * (1 + p_markup_percent / 100),
        coalesce(h.rests_until > p_now, false),
        w.unroutable_because,
        case
            when w.unroutable_because is not null then w.unroutable_because
            when not coalesce(p_features.capability, 'chat') = any(w.capabilities) then 'capability'
            when p_features.stream and not 'stream' = any(w.features) then 'stream'
            when p_features.tools and not 'tools' = any(w.features) then 'tools'
            when p_features.vision and not 'vision' = any(w.features) then 'vision'
            when p_features.structured and not 'structured' = any(w.features) then 'structured'
            when not coalesce(w.model_bk = any(p_allowed_models)
                or w.provider_bk || '/' || w.model_bk = any(p_allowed_models), true) then 'model_not_allowed'
            when not w.compliance_levels @> p_compliance_levels then 'compliance'
            -- The provider knows its context best; a context that ends where prices change is ours to keep.
            when case when w.context_is_price_limit then p_prompt_tokens else p_features.prompt_bytes / 5 end
                > w.context_tokens then 'context'
            when w.provider_cost_usd * (1 + p_markup_percent / 100) > p_features.max_cost then 'max_cost'
        end
    from (
        select
            o.*,
            n.output_tokens,
            (
                p_prompt_tokens * greatest(
                    o.input_usd_per_million, o.cache_read_usd_per_million, o.cache_write_usd_per_million
                ) + n.output_tokens * greatest(coalesce(p_features.choices, 1), 1) * o.output_usd_per_million
            ) / 1000000 as provider_cost_usd
        from ops.offer as o
        cross join lateral (
            select least(coalesce(p_features.max_output_tokens, o.default_output_tokens), o.max_output_tokens)
                as output_tokens
        ) as n
        where
            o.valid_from <= p_now and o.valid_to > p_now
            -- One plan for both: a model is a range of one, no model the whole index.
            and o.model_bk >= coalesce(p_model, '') and o.model_bk <= coalesce(p_model, chr(1114111))
            and (p_provider is null or o.provider_bk = p_provider)
    ) as w
    left join ops.offer_health as h on w.offer_hk = h.offer_hk;
end;

comment on function gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[]
) is 'Offers that could serve a call, with worst-case cost and the reason why one is dropped.';
