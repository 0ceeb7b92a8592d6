-- Only who may spend so and so much, or asks why, needs to know what every offer costs him: who is decided for without
-- that has it worked out for the few that are chosen (gateway.fn_hold_charge_at).
create or replace function gateway.fn_list_charges(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_markup_percent numeric, p_rules jsonb, p_targets text[], p_epoch bigint, p_is_whole boolean
) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
    if p_rules is null or not p_is_whole and p_features.max_cost is null and p_features.room_usd is null then
        return null;
    end if;
    return (
        select jsonb_object_agg(c.version, jsonb_build_array(c.prompt_usd, c.usd_per_output_token, c.minimum_usd))
        from (
            select o.version, h.prompt_usd, h.usd_per_output_token, h.minimum_usd
            from gateway.fn_list_offers(p_now, p_provider, p_model, p_targets, p_epoch) as o
            cross join lateral gateway.fn_hold_charge(
                p_rules, o.provider_bk, o.model_bk, gateway.fn_join_rate(
                    o.input_usd_per_million, o.cache_read_usd_per_million, o.cache_write_usd_per_million,
                    o.output_usd_per_million, o.other_usd_per_million
                ), o.prompt_factor, p_markup_percent, p_features, p_prompt_tokens
            ) as h
            where (p_is_whole or o.unroutable_because is null) and h.terms is not null
        ) as c
    );
end
$$;

comment on function gateway.fn_list_charges(
    timestamptz, gateway.request_features, text, text, bigint, numeric, jsonb, text[], bigint, boolean
) is 'What a call costs a customer by rules of prices, for each version of an offer [prompt, each output token, at
least]; NULL where that is not needed to choose.';
