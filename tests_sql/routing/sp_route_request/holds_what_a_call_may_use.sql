begin;
select plan(30);
create function pg_temp.make(p_model text, p_settings jsonb, p_prices jsonb) returns void language sql as $$
    select test.make_offer('maker', p_model, null, null, p_settings);
    select test.make_price(
        util.hash_key('maker', p_model), p ->> 0, (p ->> 1)::numeric, '-infinity', coalesce(p -> 2, '{}')
    ) from jsonb_array_elements(p_prices) as p;
$$;
select pg_temp.make('long', '{"context_tokens": 1000000, "default_output_tokens": 1000}', '[
    ["input", 2], ["output", 10], ["input", 4, {"threshold_tokens": 200000}], ["output", 15, {"threshold_tokens": 200000}],
    ["input", 1, {"service_tier": "flex"}], ["output", 5, {"service_tier": "flex"}], ["search", 10000],
    ["output_audio", 40], ["input_audio", 20], ["cache_write", 2.5], ["cache_write_1h", 8], ["input_image", 6]
]');
select pg_temp.make('plain', '{"context_tokens": 1000000, "default_output_tokens": 1000}', '[["input", 3], ["output", 10]]');
select pg_temp.make('falling', '{"context_tokens": 1000000, "default_output_tokens": 1000}', '[
    ["input", 3], ["output", 10], ["input", 1, {"threshold_tokens": 1000}]
]');
select pg_temp.make('pieces', '{"capabilities": ["image"]}', '[
    ["image", 40000, {"variant": "1024x1024/low"}], ["image", 80000, {"variant": "1024x1024/high"}]
]');
select pg_temp.make('tokens', '{"capabilities": ["image"], "default_output_tokens": 8000}', '[
    ["input", 5], ["input_image", 10], ["output", 10], ["output_image", 30]
]');
select pg_temp.make('unknown', '{"capabilities": ["image"]}', '[["input", 5]]');
select test.make_customer('caller', '{"markup_percent": 0}');
create function pg_temp.held(p_model text, p_request jsonb) returns text language plpgsql as $$
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
select is(pg_temp.held('long', '{}'), '0.0125', '1,000 tokens of prompt and of answer, the prompt at what a cache would take');
select is(pg_temp.held('long', '{"prompt_bytes": 399952}'), '0.51', 'at the threshold the price below it');
select is(pg_temp.held('long', '{"prompt_bytes": 399954}'), '0.815004', 'one more, and all of it is held dearer');
select is(pg_temp.held('falling', '{}'), '0.013', 'a threshold that is not reached');
select is(pg_temp.held('falling', '{"prompt_bytes": 3952}'), '0.016', 'a price that falls is not counted on: it is an upper estimate');
select is(pg_temp.held('long', '{"service_tier": "flex"}'), '0.0075', 'in the tier asked for; what it does not price at the standard one');
select is(pg_temp.held('long', '{"service_tier": "FLEX"}'), '0.0075', 'however it is written');
select is(pg_temp.held('long', '{"service_tier": "auto"}'), '0.0125', 'auto is standard');
select matches(
    pg_temp.held('plain', '{"service_tier": "flex"}'), '^invalid_request: ''plain'' has no price in the service tier ''flex'' here',
    'a tier without a price is refused'
);
select is(pg_temp.held('long', '{"searches": 10}'), '0.1125', 'ten searches');
select matches(pg_temp.held('plain', '{"searches": 1}'), '^invalid_request: What this call would use', 'searches without a price');
select is(pg_temp.held('long', '{"searches": 0, "images_out": 0, "audio_out": false}'), '0.0125', 'what is not asked for is not held');
select is(pg_temp.held('long', '{"audio_out": true}'), '0.0425', 'an answer that may be sound');
select is(pg_temp.held('long', '{"audio_in": true}'), '0.03', 'a prompt that may be sound');
select is(pg_temp.held('long', '{"cache_1h": true}'), '0.018', 'a prompt that may be written for an hour');
select matches(pg_temp.held('plain', a.said), '^invalid_request: What this call would use', 'sound without a price: ' || a.said::text)
from (values ('{"audio_in": true}'::jsonb), ('{"audio_out": true}')) as a (said);
select is(pg_temp.held('pieces', '{"capability": "image", "images_out": 2, "image_variant": "1024x1024/high"}'), '0.16', 'two pictures by the piece');
select is(pg_temp.held('pieces', '{"capability": "image", "images_out": 1, "image_variant": "1024x1024/low"}'), '0.04', 'a cheaper one');
select is(pg_temp.held('pieces', '{"capability": "image", "images_out": 1}'), '0.08', 'the dearest, if nobody says which');
select matches(
    pg_temp.held('pieces', '{"capability": "image", "images_out": 1, "image_variant": "4096x4096"}'),
    '^invalid_request: What this call would use', 'a picture of a size without a price'
);
select is(pg_temp.held('tokens', '{"capability": "image", "images_out": 2}'), '0.485', 'two pictures by as many tokens as they may have');
select is(pg_temp.held('tokens', '{"capability": "image", "images_out": 1, "images": 1, "prompt_bytes": 952}'), '0.275', 'made of one that is given');
select is(pg_temp.held('tokens', '{"capability": "image"}'), '0.245', 'one picture, if nobody says how many');
select is(pg_temp.held('long', '{"service_tier": "standard_only"}'), '0.0125', 'standard by another name');
select matches(
    pg_temp.held('unknown', '{"capability": "image", "images_out": 1}'), '^invalid_request: What this call', 'a maker of pictures without a price for them');
select results_eq(
    $$select e.model, e.reason from admin.explain_route('caller', '{"service_tier": "flex", "prompt_tokens": 100}') as e
        where e.provider = 'maker' and e.model in ('long', 'plain') order by 1$$,
    $$values ('long', 'default: cheapest offer that fits'), ('plain', 'dropped: it has no prices in the service tier asked for')$$,
    'explained by tier'
);
select is(
    (select array_agg(o.service_tier || ' ' || o.above_tokens order by o.service_tier, o.above_tokens)
        from ops.offer as o where o.model_bk = 'long'),
    '{flex 0,flex 200000,standard 0,standard 200000}', 'a row for each tier and range'
);
create temporary table asked as
select r.api_request_hk, r.customer_hk, encode(r.api_request_hk, 'hex')::uuid as id from ops.reservation as r;
do $$ begin perform gateway.fn_close_request(a.api_request_hk, a.customer_hk) from asked as a; end $$;
select is(
    (select array_agg(distinct p.is_same) from asked as a cross join lateral admin.replay(a.id) as p), '{t}',
    'each decision is made again alike'
);
update gateway.customer_config_s set is_strict = true where customer_hk = util.hash_key('caller');
update ops.principal set is_strict = true where customer_bk = 'caller';
select is(pg_temp.held('long', '{"prompt_bytes": 199954}'), '0.815008', 'for the strict a token is a byte, to the threshold as well');
select * from finish();
rollback;
