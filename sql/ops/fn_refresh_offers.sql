-- Brings ops.offer to what the vault says for some offers; what was there goes to ops.past.
create or replace function ops.fn_refresh_offers(p_offer_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_said ops.current_offer[];
    v_changed bytea[];
    v_epoch bigint;
begin
    perform ops.fn_lock_routing();
    -- Offer by offer: no statistics are needed for it, and one changed price costs one offer.
    select array_agg(s.row_said) into v_said
    from unnest(p_offer_hks) as w (offer_hk)
    cross join lateral (
        with said as materialized (select c.* from ops.current_offer as c where c.offer_hk = w.offer_hk)

        select r as row_said from said as r
    ) as s;

    with said as (
        select c.offer_hk, to_jsonb(c) as is_now from unnest(v_said) as c
    ),

    kept as (
        select o.offer_hk, to_jsonb(o) - '{version,from_epoch,worst_input_usd_per_million,held_input_usd_per_million}'::text[] as is_now
        from ops.offer as o
        where o.offer_hk = any(p_offer_hks)
    )

    select array_agg(distinct d.offer_hk) into v_changed
    from (
        (select * from said except select * from kept)
        union all
        (select * from kept except select * from said)
    ) as d;
    if v_changed is null then
        return;
    end if;
    v_epoch := ops.fn_next_epoch();
    insert into ops.past (version, thing, from_epoch, until_epoch, was)
    select o.version, 'offer', o.from_epoch, v_epoch, to_jsonb(o) from ops.offer as o where o.offer_hk = any(v_changed);
    delete from ops.offer as o where o.offer_hk = any(v_changed);
    insert into ops.offer (
        offer_hk, valid_from, valid_to, provider_hk, provider_bk, model_hk, model_bk, adapter_kind, api_endpoint,
        adapter_settings, first_byte_timeout_ms, upstream_model, capabilities, features, context_tokens,
        context_is_price_limit, max_output_tokens, default_output_tokens, quality_score, quality_by_type,
        compliance_levels, provider_key_hk, input_usd_per_million, cache_read_usd_per_million,
        cache_write_usd_per_million, output_usd_per_million, is_sandbox, unroutable_because, prompt_factor, usual_output,
        candidate, prices, service_tier, above_tokens, up_to_tokens, service_tiers, other_usd_per_million, owner_hk,
        max_inputs, surfaces, from_epoch
    )
    select
        c.offer_hk, c.valid_from, c.valid_to, c.provider_hk, c.provider_bk, c.model_hk, c.model_bk, c.adapter_kind,
        c.api_endpoint, c.adapter_settings, c.first_byte_timeout_ms, c.upstream_model, c.capabilities, c.features,
        c.context_tokens, c.context_is_price_limit, c.max_output_tokens, c.default_output_tokens, c.quality_score,
        c.quality_by_type, c.compliance_levels, c.provider_key_hk, c.input_usd_per_million,
        c.cache_read_usd_per_million, c.cache_write_usd_per_million, c.output_usd_per_million, c.is_sandbox,
        c.unroutable_because, c.prompt_factor, c.usual_output, c.candidate, c.prices, c.service_tier,
        c.above_tokens, c.up_to_tokens, c.service_tiers, c.other_usd_per_million, c.owner_hk, c.max_inputs, c.surfaces,
        v_epoch
    from unnest(v_said) as c
    where c.offer_hk = any(v_changed);
end
$$;

comment on function ops.fn_refresh_offers(bytea[]) is 'Brings ops.offer to what the vault says for these offers.';
