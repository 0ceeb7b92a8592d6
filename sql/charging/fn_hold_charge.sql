-- The worst that a call can be charged by rules of prices: each token of its prompt at the dearest of what input may be
-- counted as, each of its answer at the dearest of what that may be made of, and the least that a request costs.
create or replace function gateway.fn_hold_charge(
    p_rules jsonb, p_provider text, p_model text, p_rate jsonb, p_prompt_factor numeric, p_markup_percent numeric,
    p_features gateway.request_features, p_prompt_tokens bigint
) returns gateway.held_charge
language plpgsql immutable
set search_path = ''
as $$
declare
    v_terms jsonb := gateway.fn_find_charge_terms(p_rules, p_provider, p_model);
    v_extras jsonb := gateway.fn_ask_extras(p_features);
    v_usd numeric := (p_rate ->> 'input')::numeric;
    v_input_usd numeric;
    v_output_usd numeric;
    v_extra gateway.held_extras;
    v_held gateway.held_charge;
begin
    if v_terms is null then
        return null;
    end if;
    v_input_usd := greatest(
        (gateway.fn_charge_meter(v_terms, 'input', v_usd, null, p_markup_percent)).usd,
        (gateway.fn_charge_meter(
            v_terms, 'cache_read', (p_rate ->> 'cache_read')::numeric, v_usd, p_markup_percent
        )).usd,
        (gateway.fn_charge_meter(
            v_terms, 'cache_write', (p_rate ->> 'cache_write')::numeric, null, p_markup_percent
        )).usd
    );
    v_output_usd := (gateway.fn_charge_meter(
        v_terms, 'output', (p_rate ->> 'output')::numeric, null, p_markup_percent
    )).usd;
    -- Most calls read and write text alone.
    if v_extras is not null then
        v_extra := gateway.fn_hold_extras(
            v_extras, gateway.fn_charge_rate(v_terms, p_rate, p_markup_percent), v_input_usd, v_output_usd
        );
        v_input_usd := v_extra.input_usd;
        v_output_usd := v_extra.output_usd;
    end if;
    v_held.terms := v_terms;
    v_held.prompt_usd := p_prompt_tokens * 0.000001
        * case when p_features.is_strict then 2 else coalesce(p_prompt_factor, 1) end * v_input_usd
        + coalesce(v_extra.extra_usd, 0);
    v_held.usd_per_output_token := v_output_usd * 0.000001
        * greatest(p_features.choices, gateway.fn_count_pictures(p_features), 1);
    v_held.minimum_usd := coalesce((v_terms -> -1 ->> 'minimum_usd')::numeric, 0);
    return v_held;
end
$$;

comment on function gateway.fn_hold_charge(
    jsonb, text, text, jsonb, numeric, numeric, gateway.request_features, bigint
) is
'What a call may cost a customer at most by rules of prices at this offer, whose prices p_rate says; NULL where none of
them applies there.';

create or replace function gateway.fn_hold_charge_at(
    p_rules jsonb, p_version bigint, p_markup_percent numeric, p_features gateway.request_features,
    p_prompt_tokens bigint
) returns gateway.held_charge
language plpgsql stable
set search_path = ''
as $$
declare
    v_offer ops.offer;
begin
    select o.* into v_offer from ops.offer as o where o.version = p_version;
    if not found then
        select w.* into v_offer
        from ops.past as p
        cross join lateral jsonb_populate_record(null::ops.offer, p.was) as w
        where p.version = p_version and p.thing = 'offer';
    end if;
    return gateway.fn_hold_charge(
        p_rules, v_offer.provider_bk, v_offer.model_bk, gateway.fn_join_rate(
            v_offer.input_usd_per_million, v_offer.cache_read_usd_per_million, v_offer.cache_write_usd_per_million,
            v_offer.output_usd_per_million, v_offer.other_usd_per_million
        ), v_offer.prompt_factor, p_markup_percent, p_features, p_prompt_tokens
    );
end
$$;

comment on function gateway.fn_hold_charge_at(jsonb, bigint, numeric, gateway.request_features, bigint) is
'gateway.fn_hold_charge at a version of an offer, of now or of then.';

create or replace function gateway.fn_join_rate(
    p_input numeric, p_cache_read numeric, p_cache_write numeric, p_output numeric, p_others jsonb
) returns jsonb
language sql stable
return coalesce(p_others, '{}') || jsonb_build_object(
    'input', p_input, 'cache_read', p_cache_read, 'cache_write', p_cache_write, 'output', p_output
);

comment on function gateway.fn_join_rate(numeric, numeric, numeric, numeric, jsonb) is
'What an offer is held by as one table of prices.';
