-- Usage in disjoint buckets times the prices that were pinned when the call was routed: those of the service tier that
-- served it (gateway.fn_find_rate says what holds when that is not told), and all of it at the price for as many input
-- tokens as it had. Usage that no provider told, or told before the last words, is estimated from the bytes that came
-- (gateway.fn_count_tokens) and the prompt's size, and marked; so is a call that another one outran, since its provider
-- was at work. With a key of the customer's own the provider asks him, and the house nothing.
create or replace function gateway.fn_price_attempt(p_attempt jsonb, p_prices jsonb, p_prompt_bytes_tokens bigint)
returns gateway.priced_attempt
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_usage jsonb := nullif(p_attempt -> 'usage', 'null');
    v_other jsonb := nullif(nullif(v_usage -> 'other', 'null'), '{}');
    v_rate jsonb := p_prices;
    v_others record;
    v_other_input bigint := 0;
    v_priced gateway.priced_attempt;
begin
    v_priced.usage_source := p_attempt ->> 'usage_source';
    v_priced.service_tier := left(p_attempt ->> 'service_tier', 20);
    v_priced.threshold_tokens := 0;
    v_priced.has_unpriced_usage := false;
    if v_usage is not null then
        v_priced.input_uncached := (v_usage ->> 'input_uncached')::bigint;
        v_priced.cache_read := (v_usage ->> 'cache_read')::bigint;
        v_priced.cache_write := (v_usage ->> 'cache_write')::bigint;
        v_priced.output := (v_usage ->> 'output')::bigint;
        v_priced.reasoning := (v_usage ->> 'reasoning')::bigint;
    end if;
    if
        (p_attempt ->> 'output_bytes')::bigint > 0 or p_attempt ->> 'outcome' = 'SUCCESS'
        or p_attempt ->> 'class' = 'outrun'
    then
        if v_priced.input_uncached is null and v_priced.cache_read is null then
            v_priced.input_uncached := p_prompt_bytes_tokens;
            v_priced.usage_source := 'estimated';
        end if;
        -- Pictures and sound are no bytes of text.
        if
            v_priced.output is null
            and not coalesce(v_other @? '$.keyvalue() ? (@.key like_regex "^(output_|image|second|character)")', false)
        then
            v_priced.output := gateway.fn_count_tokens((p_attempt ->> 'output_bytes')::bigint, p_prices);
            v_priced.usage_source := 'estimated';
        elsif v_priced.output is not null and p_attempt ? 'untold_bytes' then
            v_priced.output := v_priced.output
                + gateway.fn_count_tokens((p_attempt ->> 'untold_bytes')::bigint, p_prices);
            v_priced.usage_source := 'estimated';
        end if;
    end if;
    if p_prices ? 'rates' then
        if v_other is not null then
            v_others := gateway.fn_price_others(v_other, '{}');
            v_other_input := coalesce(v_others.input_tokens, 0);
        end if;
        v_rate := gateway.fn_find_rate(
            p_prices, v_priced.service_tier,
            coalesce(v_priced.input_uncached, 0) + coalesce(v_priced.cache_read, 0) + coalesce(v_priced.cache_write, 0)
            + v_other_input
        );
        v_priced.threshold_tokens := (v_rate ->> 'above')::integer;
    end if;
    v_priced.input_usd_per_million := coalesce((v_rate ->> 'input')::numeric, 0);
    v_priced.cache_read_usd_per_million := coalesce((v_rate ->> 'cache_read')::numeric, v_priced.input_usd_per_million);
    v_priced.cache_write_usd_per_million := coalesce((v_rate ->> 'cache_write')::numeric, v_priced.input_usd_per_million);
    v_priced.output_usd_per_million := coalesce((v_rate ->> 'output')::numeric, 0);
    v_priced.provider_cost :=
        coalesce(v_priced.input_uncached, 0) * v_priced.input_usd_per_million
        + coalesce(v_priced.cache_read, 0) * v_priced.cache_read_usd_per_million
        + coalesce(v_priced.cache_write, 0) * v_priced.cache_write_usd_per_million
        + coalesce(v_priced.output, 0) * v_priced.output_usd_per_million;
    if v_other is not null then
        v_others := gateway.fn_price_others(v_other, v_rate);
        v_priced.other_usage := v_others.booked;
        v_priced.other_input := v_others.input_tokens;
        v_priced.other_output := v_others.output_tokens;
        v_priced.has_unpriced_usage := v_others.has_unpriced;
        v_priced.provider_cost := v_priced.provider_cost + v_others.cost;
    end if;
    v_priced.provider_cost := round(v_priced.provider_cost / 1000000, 10);
    v_priced.is_own_key := coalesce(p_prices -> 'own_keys' ? (p_attempt ->> 'key'), false);
    v_priced.own_key_cost := 0;
    if v_priced.is_own_key then
        v_priced.own_key_cost := v_priced.provider_cost;
        v_priced.provider_cost := 0;
    end if;
    return v_priced;
end
$$;

comment on function gateway.fn_price_attempt(jsonb, jsonb, bigint) is
'What an attempt used and what the provider asks for it, the house or, by his own key, the customer; in USD to
ten decimals.';
