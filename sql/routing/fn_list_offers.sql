-- Offers at their prices of a moment, of now or of an epoch, inlined into what asks for them. Conditions
-- stand outside, so that the half that is not asked for is no part of the plan.
create or replace function gateway.fn_list_offers(
    p_now timestamptz, p_provider text, p_model text, p_targets text[], p_epoch bigint
) returns setof ops.offer
language sql stable
begin atomic
    select
        o.offer_hk, o.valid_from, o.valid_to, o.provider_hk, o.provider_bk, o.model_hk, o.model_bk,
        o.adapter_kind, o.api_endpoint, o.adapter_settings, o.first_byte_timeout_ms, o.upstream_model,
        o.capabilities, o.features, o.context_tokens, o.context_is_price_limit, o.max_output_tokens,
        o.default_output_tokens, o.quality_score, o.compliance_levels, o.provider_key_hk,
        o.input_usd_per_million, o.cache_read_usd_per_million, o.cache_write_usd_per_million,
        o.output_usd_per_million, o.is_sandbox, o.unroutable_because, o.candidate, o.prices, o.version,
        o.from_epoch, o.quality_by_type, o.worst_input_usd_per_million, o.prompt_factor, o.usual_output,
        o.held_input_usd_per_million, o.service_tier, o.above_tokens, o.up_to_tokens, o.service_tiers,
        o.other_usd_per_million, o.owner_hk, o.max_inputs, o.surfaces
    from (
        select l.*, true as is_current from ops.offer as l
        union all
        select t.*, false from gateway.fn_offers_at(p_epoch) as t
    ) as o
    where
        o.is_current = (p_epoch is null) and o.valid_from <= p_now and o.valid_to > p_now
        -- One plan for both: a model is a range of one, no model the whole index.
        and o.model_bk >= coalesce(p_model, '') and o.model_bk <= coalesce(p_model, chr(1114111))
        and (p_provider is null or o.provider_bk = p_provider)
        and coalesce(p_targets && array[o.model_bk, o.provider_bk || '/' || o.model_bk, o.provider_bk || '/*'], true);
end;

comment on function gateway.fn_list_offers(timestamptz, text, text, text[], bigint) is
'The offers that a call can mean by what it names and a rule''s targets, a row for each service tier and range of
tokens.';
