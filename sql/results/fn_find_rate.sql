-- The table of prices for what a provider says that it served: its tier's, for as many input tokens. What it does not
-- say, or what has no price here, costs the dearer of the tier asked for and the standard one, meter by meter: a guess
-- never bills less than the provider may. Without tables there is one, beside the offer's names.
create or replace function gateway.fn_find_rate(p_prices jsonb, p_service_tier text, p_input_tokens bigint)
returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
    v_rates jsonb := p_prices -> 'rates';
    v_tier text := coalesce(p_service_tier, p_prices ->> 'tier');
    v_table jsonb;
    v_rate jsonb;
    v_standard jsonb;
begin
    if v_rates is null then
        return p_prices;
    end if;
    if p_service_tier is null or not v_rates ? p_service_tier then
        if p_prices ->> 'tier' <> 'standard' then
            v_standard := gateway.fn_find_rate(p_prices, 'standard', p_input_tokens);
        end if;
        v_tier := p_prices ->> 'tier';
    end if;
    -- At the threshold the price below it holds.
    for v_table in select t.value from jsonb_array_elements(v_rates -> v_tier) as t loop
        exit when (v_table ->> 'above')::bigint >= greatest(p_input_tokens, 1);
        v_rate := v_table;
    end loop;
    if v_standard is not null then
        select v_standard || v_rate || jsonb_object_agg(s.key, greatest(s.value::numeric, (v_rate ->> s.key)::numeric))
        into v_rate
        from jsonb_each_text(v_standard) as s;
    end if;
    return v_rate;
end
$$;

comment on function gateway.fn_find_rate(jsonb, text, bigint) is
'Of the prices that were pinned with a call those for the service tier that served it and as many input tokens;
"above" tells the threshold.';
