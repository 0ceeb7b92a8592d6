-- Every offer that could be meant, with its worst-case price and, where it is dropped, why. Inlined into its callers: the
-- road asks for the best few, explain_route for all of them.
create or replace function gateway.fn_rank_offers(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_markup_percent numeric, p_allowed_models text[], p_compliance_levels text[]
) returns table (
    offer ops.offer, output_tokens bigint, worst_provider_cost_usd numeric, worst_customer_cost_usd numeric,
    is_resting boolean, dropped_because text
)
language sql stable
begin atomic
    select
        o,
        w.output_tokens,
        w.provider_cost_usd,
        w.provider_cost_usd * (1 + p_markup_percent / 100),
        coalesce(h.rests_until > p_now, false),
        case
            when o.unroutable_because is not null then o.unroutable_because
            when not coalesce(p_features.capability, 'chat') = any(o.capabilities) then 'capability'
            when p_features.stream and not 'stream' = any(o.features) then 'stream'
            when p_features.tools and not 'tools' = any(o.features) then 'tools'
            when p_features.vision and not 'vision' = any(o.features) then 'vision'
            when p_features.structured and not 'structured' = any(o.features) then 'structured'
            when not coalesce(o.model_bk = any(p_allowed_models)
                or o.provider_bk || '/' || o.model_bk = any(p_allowed_models), true) then 'model_not_allowed'
            when not o.compliance_levels @> p_compliance_levels then 'compliance'
            when p_features.prompt_bytes / 5 > o.context_tokens then 'context'
            when w.provider_cost_usd * (1 + p_markup_percent / 100) > p_features.max_cost then 'max_cost'
        end
    from ops.offer as o
    cross join lateral (
        select
            n.output_tokens,
            (
                p_prompt_tokens * greatest(
                    o.input_usd_per_million, o.cache_read_usd_per_million, o.cache_write_usd_per_million
                ) + n.output_tokens * o.output_usd_per_million
            ) / 1000000 as provider_cost_usd
        from (
            select least(coalesce(p_features.max_output_tokens, o.default_output_tokens), o.max_output_tokens)::bigint
                * greatest(coalesce(p_features.choices, 1), 1) as output_tokens
        ) as n
    ) as w
    left join ops.offer_health as h on o.offer_hk = h.offer_hk
    where
        o.valid_from <= p_now and o.valid_to > p_now
        and (p_model is null or o.model_bk = p_model)
        and (p_provider is null or o.provider_bk = p_provider);
end;

comment on function gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[]
) is 'Offers that could serve a call, with worst-case cost (provider''s and customer''s) and the reason one is dropped.';
