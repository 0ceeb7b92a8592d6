-- What comes out of a cache may be charged as if it had not; then the price of what it is a kind of is looked for.
create or replace function gateway.fn_charge_meter(
    p_terms jsonb, p_meter text, p_usd numeric, p_uncached_usd numeric, p_markup_percent numeric,
    out usd numeric, out rules jsonb
)
language plpgsql immutable
set search_path = ''
as $$
declare
    v_uncached text := case p_meter when 'cache_read' then 'input' when 'cache_read_audio' then 'input_audio' end;
    v_rule jsonb;
    v_keeps boolean;
begin
    for v_place in 0 .. coalesce(jsonb_array_length(p_terms), 0) - 1 loop
        v_rule := p_terms -> v_place;
        v_keeps := v_uncached is not null and v_rule ? 'passes_cache_savings';
        if v_keeps and coalesce(v_rule ->> 'meter' = v_uncached, true) then
            select c.usd, c.rules || v_rule into usd, rules
            from gateway.fn_charge_meter(p_terms, v_uncached, p_uncached_usd, null, p_markup_percent) as c;
            return;
        elsif coalesce(v_rule ->> 'meter' = p_meter, true) then
            usd := coalesce(
                (v_rule ->> 'usd_per_million')::numeric,
                p_usd * (1 + (v_rule ->> 'markup_percent')::numeric * 0.01)
            );
            rules := jsonb_build_array(v_rule);
            return;
        end if;
    end loop;
    usd := p_usd * (1 + p_markup_percent * 0.01);
    rules := '[]';
end
$$;

comment on function gateway.fn_charge_meter(jsonb, text, numeric, numeric, numeric) is
'USD per million of a meter that a customer pays by these rules, from what the provider asks for it and for the same
without a cache, and the rules that say so; none: the plain markup.';

create or replace function gateway.fn_charge_rate(p_terms jsonb, p_rate jsonb, p_markup_percent numeric) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_object_agg(k.meter, (gateway.fn_charge_meter(
        p_terms, split_part(k.meter, '/', 1), gateway.fn_find_price(p_rate, k.meter), gateway.fn_find_price(
            p_rate, case split_part(k.meter, '/', 1) when 'cache_read_audio' then 'input_audio' else 'input' end
        ), p_markup_percent
    )).usd)
    from (
        select r.meter from jsonb_object_keys(p_rate) as r (meter)
        where r.meter ~ '^(image|search|second|character)(/|$)'
        union all
        select unnest(array[
            'input', 'output', 'cache_read', 'cache_write', 'cache_write_1h', 'input_audio', 'output_audio',
            'cache_read_audio', 'input_image', 'output_image'
        ])
    ) as k;
end;

comment on function gateway.fn_charge_rate(jsonb, jsonb, numeric) is
'What a customer pays for each meter by these rules, from a table of a provider''s prices: a list price for pieces
counts where the provider has one, too.';

create or replace function gateway.fn_list_prices(p_terms jsonb, p_rate jsonb, p_markup_percent numeric) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_object_agg(k.meter, trim_scale((gateway.fn_charge_meter(
        p_terms, k.meter, (p_rate ->> k.meter)::numeric, (p_rate ->> 'input')::numeric, p_markup_percent
    )).usd))
    from unnest('{input,cache_read,cache_write,output}'::text[]) as k (meter);
end;

comment on function gateway.fn_list_prices(jsonb, jsonb, numeric) is
'What a customer pays for the four common meters by these rules; none: by the plain markup.';
