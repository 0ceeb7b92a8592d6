begin;
select plan(14);
select test.make_offer('maker', 'long', 2, 10, '{"context_tokens": 1000000, "default_output_tokens": 1000}');
select test.make_price(util.hash_key('maker', 'long'), m.meter, m.usd, '-infinity', m.key::jsonb)
from (values
    ('input', 4, '{"threshold_tokens": 200000}'), ('output', 15, '{"threshold_tokens": 200000}'),
    ('cache_read', 0.2, '{}'), ('cache_read', 0.4, '{"threshold_tokens": 200000}'), ('cache_write', 2.5, '{}'),
    ('input', 1, '{"service_tier": "flex"}'), ('output', 5, '{"service_tier": "flex"}'),
    ('input', 3, '{"service_tier": "priority"}'), ('output', 20, '{"service_tier": "priority"}'),
    ('input', 0.9, '{"mode": "batch"}'), ('output', 4, '{"mode": "batch"}')
) as m (meter, usd, key);
select test.make_customer('buyer');
create function pg_temp.cost(p_request jsonb, p_usage jsonb, p_attempt jsonb default '{}') returns numeric language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(sha256('buyer/token'), '{"prompt_bytes": 800000}'::jsonb || p_request);
begin
    perform gateway.sp_read_messages(100, 60);
    return trim_scale((gateway.sp_record_result(test.make_result(
        v_decision, jsonb_build_array(test.one_attempt(v_decision, p_usage, p_attempt))
    )) #>> '{cost,provider}')::numeric);
end
$$;
select is(pg_temp.cost('{}', '{"input_uncached": 199999, "output": 0}'), 0.399998, 'below the threshold the base price');
select is(pg_temp.cost('{}', '{"input_uncached": 200000, "output": 0}'), 0.4, 'at the threshold the base price');
select is(pg_temp.cost('{}', '{"input_uncached": 200001, "output": 1000}'), 0.815004, 'above it all of the call is dearer');
select is(
    pg_temp.cost('{}', '{"input_uncached": 1, "cache_read": 200000, "output": 0}'), 0.080004,
    'what a cache held counts towards the threshold'
);
select is(
    pg_temp.cost('{}', '{"input_uncached": 0, "cache_read": 0, "cache_write": 100000, "output": 0, "other": {"cache_write_1h": 100001}}'),
    -- No price of a write above the threshold: it costs what it does below.
    0.5000025, 'and what is written for an hour, at the price of other writes'
);
select is(
    (a.threshold_tokens, a.input_usd_per_million, a.service_tier), (200000, 4::numeric, null::varchar),
    'the attempt tells the threshold'
) from gateway.api_request_attempt_s as a where a.input_uncached_tokens = 200001;
select is(pg_temp.cost('{"service_tier": "flex"}', '{"input_uncached": 1000, "output": 100}', '{"service_tier": "flex"}'), 0.0015, 'flex as asked');
select is(
    pg_temp.cost('{}', '{"input_uncached": 1000, "output": 100}', '{"service_tier": "priority"}'), 0.005,
    'what was served counts, not what was asked'
);
select is(
    pg_temp.cost('{"service_tier": "priority"}', '{"input_uncached": 1000, "output": 100}', '{"service_tier": "standard"}'), 0.003,
    'nor does what was asked count when less was served'
);
select is(
    pg_temp.cost('{"service_tier": "flex"}', '{"input_uncached": 1000, "output": 100}'), 0.003,
    'who does not say is taken at the dearer of flex and standard'
);
select is(
    pg_temp.cost('{"service_tier": "priority"}', '{"input_uncached": 1000, "output": 100}', '{"service_tier": "scale"}'), 0.005,
    'and a tier that nobody priced at the dearer of priority and standard'
);
select is(
    pg_temp.cost('{"service_tier": "priority"}', '{"input_uncached": 0, "cache_read": 1000, "output": 0}', '{"service_tier": "priority"}'),
    0.003, 'a dearer tier without a price for the cache reads at its price for input'
);
select is(
    pg_temp.cost('{"service_tier": "flex"}', '{"input_uncached": 0, "cache_read": 1000, "output": 0}', '{"service_tier": "flex"}'),
    0.0002, 'a cheaper one at the standard price'
);
select is((select count(*) from ops.invariant_violation), 0::bigint, 'all of it is in balance');
select * from finish();
rollback;
