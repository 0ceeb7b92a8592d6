-- What an attempt used, meter by meter at what the customer pays for it, rounded once. Nothing of it needs to be known
-- later: the prices charged are kept, and by whose word. Where no rule had a say, the plain markup is charged as ever.
create or replace function gateway.fn_charge_attempt(
    p_priced gateway.priced_attempt, p_prices jsonb, p_markup_percent numeric, out cost numeric, out charge_terms jsonb
)
language plpgsql immutable
set search_path = ''
as $$
declare
    v_terms jsonb := p_prices -> 'terms';
    v_minimum jsonb := v_terms -> -1;
    v_audio_usd numeric;
    v_used record;
    v_charged record;
    v_rules jsonb := '[]';
    v_usd_per_million jsonb := '{}';
begin
    cost := 0;
    if p_priced.other_usage ? 'cache_read_audio' then
        v_audio_usd := gateway.fn_find_price(gateway.fn_find_rate(
            p_prices, p_priced.service_tier,
            coalesce(p_priced.input_uncached, 0) + coalesce(p_priced.cache_read, 0) + coalesce(p_priced.cache_write, 0)
            + coalesce(p_priced.other_input, 0)
        ), 'input_audio');
    end if;
    for v_used in
        select u.meter, u.units, u.usd, u.uncached_usd
        from (
            values
            ('input', p_priced.input_uncached::numeric, p_priced.input_usd_per_million, null::numeric),
            ('cache_read', p_priced.cache_read, p_priced.cache_read_usd_per_million, p_priced.input_usd_per_million),
            ('cache_write', p_priced.cache_write, p_priced.cache_write_usd_per_million, null),
            ('output', p_priced.output, p_priced.output_usd_per_million, null)
        ) as u (meter, units, usd, uncached_usd)
        where u.units > 0
        union all
        select o.key, (o.value ->> 'units')::numeric, (o.value ->> 'usd_per_million')::numeric, v_audio_usd
        from jsonb_each(p_priced.other_usage) as o
    loop
        v_charged := gateway.fn_charge_meter(
            v_terms, split_part(v_used.meter, '/', 1), v_used.usd, v_used.uncached_usd, p_markup_percent
        );
        cost := cost + v_used.units * coalesce(v_charged.usd, 0);
        v_rules := v_rules || v_charged.rules;
        v_usd_per_million := v_usd_per_million || jsonb_build_object(v_used.meter, trim_scale(v_charged.usd));
    end loop;
    v_minimum := case when v_minimum ? 'minimum_usd' then v_minimum end;
    if v_rules = '[]' and v_minimum is null then
        cost := round(p_priced.provider_cost * (1 + p_markup_percent / 100), 10);
        return;
    end if;
    cost := round(cost * 0.000001, 10);
    charge_terms := jsonb_build_object(
        'rules', (
            select jsonb_agg(t.rule order by t.place)
            from jsonb_array_elements(v_terms) with ordinality as t (rule, place)
            where v_rules @> jsonb_build_array(t.rule) or t.rule = v_minimum
        ),
        'usd_per_million', v_usd_per_million
    );
    if v_minimum is not null then
        charge_terms := charge_terms
            || jsonb_build_object('minimum_is_charged', cost < (v_minimum ->> 'minimum_usd')::numeric);
        cost := greatest(cost, round((v_minimum ->> 'minimum_usd')::numeric, 10));
    end if;
end
$$;

comment on function gateway.fn_charge_attempt(gateway.priced_attempt, jsonb, numeric) is
'What a customer pays for an attempt by the rules of prices that were pinned with it, in USD to ten decimals, and what
is kept of how: the rules that had a say, USD per million of each meter used, and whether the least was charged; NULL where
it was the plain markup.';
