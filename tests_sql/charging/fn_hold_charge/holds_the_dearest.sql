begin;
select plan(24);
create function pg_temp.make(p_model text, p_settings jsonb, p_prices jsonb) returns void language sql as $$
    select test.make_offer('maker', p_model, null, null, p_settings);
    select test.make_price(util.hash_key('maker', p_model), p ->> 0, (p ->> 1)::numeric, '-infinity', coalesce(p -> 2, '{}'))
    from jsonb_array_elements(p_prices) as p;
$$;
select pg_temp.make('long', '{"context_tokens": 1000000, "default_output_tokens": 1000}', '[
    ["input", 2], ["output", 10], ["input", 4, {"threshold_tokens": 200000}], ["output", 15, {"threshold_tokens": 200000}],
    ["search", 10000], ["output_audio", 40], ["input_audio", 20], ["cache_read", 0.2], ["cache_write", 2.5], ["cache_write_1h", 8]
]');
select pg_temp.make('pieces', '{"capabilities": ["image"]}', '[
    ["image", 40000, {"variant": "1024x1024/low"}], ["image", 80000, {"variant": "1024x1024/high"}]
]');
select test.make_customer('caller', '{"markup_percent": 0}');
create function pg_temp.held(p_request jsonb default '{}', p_model text default 'maker/long') returns text language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(
        sha256('caller/token'), '{"prompt_bytes": 1952}'::jsonb || p_request || jsonb_build_object('model', p_model)
    );
begin
    return coalesce((
        select trim_scale(r.held_usd)::text from ops.reservation as r where r.api_request_hk = uuid_send(v_decision.request_id::uuid)
    ), v_decision.status || ': ' || v_decision.message);
end
$$;
create function pg_temp.set_rule(p_settings jsonb) returns void language plpgsql as $$
begin
    delete from admin.charge_rule where true;
    insert into admin.charge_rule
    select (jsonb_populate_record(null::admin.charge_rule, r || jsonb_build_object('charge_rule', 'rule ' || n, 'customer', 'caller'))).*
    from jsonb_array_elements(p_settings) with ordinality as t (r, n);
end
$$;
select is(pg_temp.held(), '0.0125', '1,000 tokens at 2.5 as a cache would be written, 1,000 at 10');
select pg_temp.set_rule('[{"markup_percent": 100}]');
select is(pg_temp.held(), '0.025', 'twice that by percent');
select pg_temp.set_rule('[{"markup_percent": -100}]');
select is(pg_temp.held(), '0', 'nothing for who pays nothing');
select is((select max((r.decision ->> 'worst_provider_usd')::numeric) from ops.reservation as r), 0.0125, 'what the house may be asked is kept');
select pg_temp.set_rule('[{"meter": "input", "usd_per_million": 3}]');
select is(pg_temp.held(), '0.013', 'a list price that is dearer than the cache');
select pg_temp.set_rule('[{"meter": "input", "usd_per_million": 1}]');
select is(pg_temp.held(), '0.0125', 'one that is not: the prompt may be written to a cache');
select pg_temp.set_rule('[{"meter": "cache_read", "usd_per_million": 50}]');
select is(pg_temp.held(), '0.06', 'a cache that is dearer than no cache');
select pg_temp.set_rule('[{"meter": "input", "usd_per_million": 7, "passes_cache_savings": false}]');
select is(pg_temp.held(), '0.017', 'cache reads at the price of input');
select pg_temp.set_rule('[{"meter": "output", "usd_per_million": 1}, {"meter": "cache_write", "markup_percent": -60}]');
select is(pg_temp.held(), '0.003', 'input at 2, output at 1');
select pg_temp.set_rule('[{"markup_percent": 0, "minimum_usd": 0.5}]');
select is(pg_temp.held(), '0.5', 'the least that a request costs');
select is(pg_temp.held('{"prompt_bytes": 399954}'), '0.815004', 'beyond a threshold what is dearer there');
select pg_temp.set_rule('[{"markup_percent": 0}, {"meter": "search", "usd_per_million": 20000}]');
select is(pg_temp.held('{"searches": 10}'), '0.2125', 'ten searches by the list');
select is(pg_temp.held(), '0.0125', 'none is none');
select pg_temp.set_rule('[{"meter": "output_audio", "markup_percent": 100}, {"meter": "input_audio", "usd_per_million": 0}]');
select is(pg_temp.held('{"audio_out": true}'), '0.0825', 'an answer that may be sound');
select is(pg_temp.held('{"audio_in": true}'), '0.0125', 'a prompt that may be sound, which is given away: it may be text');
select pg_temp.set_rule('[{"meter": "cache_write_1h", "usd_per_million": 30}]');
select is(pg_temp.held('{"cache_1h": true}'), '0.04', 'a prompt that may be written for an hour');
select pg_temp.set_rule('[{"meter": "image", "usd_per_million": 100000}]');
select is(
    pg_temp.held('{"capability": "image", "images_out": 2, "image_variant": "1024x1024/low"}', 'pieces'), '0.2',
    'pictures at one price, whatever their size'
);
select is(pg_temp.held('{"choices": 3}'), '0.0325', 'three answers');

-- max_cost is about what the customer pays, and so are budgets.
select pg_temp.set_rule('[{"meter": "output", "usd_per_million": 100}]');
select is(pg_temp.held('{"max_cost": 0.0525}'), '0.0525', 'an answer of 500 tokens, which is what 0.05 pay for');
select matches(pg_temp.held('{"max_cost": 0.005}'), 'may cost up to 0.0[0-9]+ USD, your max_cost is 0.005', 'or none');
select pg_temp.set_rule('[{"markup_percent": 0, "minimum_usd": 0.5}]');
select matches(
    pg_temp.held('{"max_cost": 0.4}'), 'max_cost_too_low: The cheapest way to answer this call may cost up to 0.5 USD',
    'a minimum counts, too'
);
select results_eq(
    $$select e.worst_case_cost_usd, e.charged_by
        from admin.explain_route('caller', '{"model": "maker/long", "prompt_tokens": 1000, "max_output_tokens": 1000}') as e
        where e.chosen$$,
    $$values (0.5, '''rule 1'': +0 %, at least 0.5 USD')$$, 'explained alike'
);
-- Cheapest is who costs the house least: what a customer pays follows from it, and is no reason to go elsewhere.
select test.make_offer('dear', 'twin', 10, 10);
select test.make_offer('cheap', 'twin', 1, 1);
select pg_temp.set_rule('[{"provider": "dear", "markup_percent": -99}, {"provider": "cheap", "markup_percent": 900}]');
create temporary table asked as select test.route(sha256('caller/token'), '{"model": "twin"}') as d;
select is((select (a.d).provider from asked as a), 'cheap', 'ranked by what providers ask');
create temporary table made as
select encode(r.api_request_hk, 'hex')::uuid as id, gateway.fn_close_request(r.api_request_hk, r.customer_hk) as is_closed
from ops.reservation as r;
select is((select array_agg(distinct p.is_same) from made as m cross join lateral admin.replay(m.id) as p), '{t}', 'each decision is made again alike');
select * from finish();
rollback;
