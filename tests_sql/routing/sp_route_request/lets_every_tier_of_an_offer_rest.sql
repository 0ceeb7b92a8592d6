-- Mutants: only the row of the standard tier rests; every row of an offer is kept as seen.
begin;
select plan(4);
select test.make_offer('maker', 'a', 1, 1, '{"context_tokens": 1000000}');
select test.make_offer('rival', 'a', 2, 2, '{"context_tokens": 1000000}');
select test.make_price(util.hash_key(p, 'a'), m.meter, 3, '-infinity', m.key::jsonb)
from (values ('maker'), ('rival')) as w (p),
    (values ('input', '{"service_tier": "flex"}'), ('output', '{"service_tier": "flex"}'), ('input', '{"threshold_tokens": 1000}')) as m (meter, key);
select test.make_customer('caller');
insert into ops.offer_health (offer_hk, consecutive_failures, rests_until) values (util.hash_key('maker', 'a'), 5, 'infinity');
create function pg_temp.route(p_request jsonb) returns text language sql as $$
    select d.provider from test.route(sha256('caller/token'), '{"model": "a"}'::jsonb || p_request) as d
$$;
select is(pg_temp.route('{}'), 'rival', 'the standard tier');
select is(pg_temp.route('{"service_tier": "flex"}'), 'rival', 'another tier');
select is(pg_temp.route('{"prompt_bytes": 9000}'), 'rival', 'a long prompt');
select bag_eq($$select jsonb_array_length(r.decision #> '{seen,resting}') from ops.reservation as r$$, '{1,2,1}'::integer[],
    'what is seen is kept for the rows that count alone');
select * from finish();
rollback;
