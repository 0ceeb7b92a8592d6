-- Usage in disjoint buckets times the prices that were pinned when the call was routed. Usage that no provider
-- told is estimated from the bytes that came (four a token) and the prompt's size (four bytes a token), and
-- marked; so is a call that another one outran, since its provider was at work. With a key of the customer's own
-- the provider asks him, and the house nothing.
create or replace function gateway.fn_price_attempt(p_attempt jsonb, p_prices jsonb, p_prompt_bytes_tokens bigint)
returns gateway.priced_attempt
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_usage jsonb := nullif(p_attempt -> 'usage', 'null');
    v_priced gateway.priced_attempt;
begin
    v_priced.input_usd_per_million := coalesce((p_prices ->> 'input')::numeric, 0);
    v_priced.cache_read_usd_per_million := coalesce((p_prices ->> 'cache_read')::numeric, 0);
    v_priced.cache_write_usd_per_million := coalesce((p_prices ->> 'cache_write')::numeric, 0);
    v_priced.output_usd_per_million := coalesce((p_prices ->> 'output')::numeric, 0);
    v_priced.usage_source := p_attempt ->> 'usage_source';
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
        if v_priced.output is null then
            v_priced.output := ((p_attempt ->> 'output_bytes')::bigint + 3) / 4;
            v_priced.usage_source := 'estimated';
        end if;
    end if;
    v_priced.provider_cost := round((
        coalesce(v_priced.input_uncached, 0) * v_priced.input_usd_per_million
        + coalesce(v_priced.cache_read, 0) * v_priced.cache_read_usd_per_million
        + coalesce(v_priced.cache_write, 0) * v_priced.cache_write_usd_per_million
        + coalesce(v_priced.output, 0) * v_priced.output_usd_per_million
    ) / 1000000, 10);
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
