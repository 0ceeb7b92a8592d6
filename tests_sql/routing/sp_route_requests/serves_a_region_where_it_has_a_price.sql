-- Mutants: a price of another region that everybody gets, one that nobody gets, a region that goes to who cannot be told of it.
begin;
select plan(13);
select test.make_offer('maker', 'model-a', 4, 20), test.make_offer('other', 'model-a', 1, 1), test.make_offer('maker', 'model-b', 1, 1);
update admin.provider set adapter_kind = 'anthropic' where provider = 'maker';
insert into admin.price (provider, model, meter, region, service_tier, usd_per_million) values
('maker', 'model-a', 'input', 'us', 'standard', 4.4), ('maker', 'model-a', 'output', 'us', 'standard', 22),
('maker', 'model-a', 'input', '', 'fast', 24), ('maker', 'model-a', 'output', '', 'fast', 120),
('maker', 'model-a', 'input', 'us', 'fast', 26.4), ('maker', 'model-a', 'output', 'us', 'fast', 132),
('maker', 'model-a', 'search', '', 'standard', 10000);
select test.make_customer('caller', '{"markup_percent": 0}');
create function pg_temp.ask(p_tier text, p_model text default 'model-a', p_more jsonb default '{"needs": ["messages"]}') returns jsonb
language plpgsql as $$
declare
    v_said record;
begin
    select d.* into v_said
    from gateway.sp_route_requests(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'digest', encode(sha256(convert_to('caller/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16), 'surface', 'messages',
        'capability', 'chat', 'prompt_bytes', 0, 'messages', 0, 'model', p_model, 'service_tier', p_tier, 'max_output_tokens', 1000
    ) || p_more)), 'unix:/test', false) as d;
    return jsonb_build_object(
        'said', coalesce(v_said.provider, v_said.message), 'param', v_said.detail::jsonb ->> 'param', 'held', (
            select trim_scale(r.held_usd) from ops.reservation as r where r.api_request_hk = uuid_send(v_said.request_id::uuid)
        ), 'prices', (
            select r.candidates -> 0 from ops.reservation as r where r.api_request_hk = uuid_send(v_said.request_id::uuid)
        )
    );
end
$$;
create function pg_temp.cost(p_prices jsonb, p_tier text) returns numeric language sql as $$
    select trim_scale((gateway.fn_price_attempt(jsonb_build_object(
        'outcome', 'SUCCESS', 'service_tier', p_tier, 'usage_source', 'provider_final',
        'usage', jsonb_build_object('input_uncached', 1000, 'output', 100)
    ), p_prices, 0)).provider_cost)
$$;
create temporary table said as select pg_temp.ask('geo_us') as us, pg_temp.ask(null) as any_place, pg_temp.ask('geo_us_fast') as us_fast;
select is(s.us ->> 'said', 'maker', 'a region is served by who has a price for it') from said as s;
select is((s.us ->> 'held')::numeric, 0.0220704, '16 tokens of a prompt and 1,000 of an answer are held at its price') from said as s;
select is((s.any_place ->> 'held')::numeric, 0.020064, 'who asks for none pays for none') from said as s;
select is((s.us_fast ->> 'held')::numeric, 0.1324224, 'fast and there has a price of its own') from said as s;
select is(pg_temp.cost(s.us -> 'prices', 'geo_us'), 0.0066, 'served there, it is charged so') from said as s;
select is(pg_temp.cost(s.us -> 'prices', 'standard'), 0.006, 'served elsewhere, it is charged so') from said as s;
select is(pg_temp.cost(s.any_place -> 'prices', 'geo_us'), 0.0066, 'who has it as his default at the provider is charged what that costs') from said as s;
select is(pg_temp.cost(s.us -> 'prices', null), 0.0066, 'and who is not told, what he asked for') from said as s;
select is(
    pg_temp.ask('geo_us', 'model-b') ->> 'said',
    '''model-b'' has no price in the region ''us'' here. Leave inference_geo out, or use another model.', 'a model without a price is refused'
);
select is(pg_temp.ask('geo_eu') ->> 'param', 'inference_geo', 'so is a region without one');
update admin.provider set adapter_settings = '{"region": "us"}' where provider = 'maker';
select is((pg_temp.ask(null) ->> 'held')::numeric, 0.0220704, 'a provider that is there costs so, whoever asks');
select is(
    pg_temp.ask(null, 'model-a', '{"needs": ["web_search_options"], "searches": 10}') ->> 'held', '0.1220704',
    'a chat that may search goes to who counts its searches, and holds them'
);
select is(
    pg_temp.ask(null, 'model-b', '{"needs": ["web_search_options"], "searches": 10}') ->> 'said',
    'What this call would use (pictures, sound or searches) has no price here at ''model-b''.', 'or is refused where they have no price'
);
select * from finish();
rollback;
