begin;
select plan(10);
-- Asked for: 10 in at 8, 5 out at 40, or at a second provider for less; went to 1 and 2 a million.
select test.make_offer('maker', 'model-a', 1, 2), test.make_offer('dear', 'model-x', 8, 40), test.make_offer('dearer', 'model-x', 80, 400);
select test.make_price(util.hash_key('dear', 'model-x'), 'cache_read', 0.8);
select test.make_tenant('saver', '{"baseline_model": "dear/model-x"}');
select test.make_customer('shop', '{}', 'saver'), test.make_customer('plain');
select test.book_at('shop', clock_timestamp(), '{"model_asked": "model-x", "total_tokens": 15, "customer_cost": 0.000025,
    "provider_cost": 0.00002, "gateway_markup": 0.000005}');
create temporary view told as select s.* from business_vault.savings as s where s.customer = 'shop' order by s.request_timestamp desc limit 1;
select is((t.provider, t.model, t.compared_with), ('maker'::text, 'model-a'::text, 'MODEL_ASKED'::text), 'with what was asked for') from told as t;
select is((t.baseline_provider, t.baseline_model), ('dear'::text, 'model-x'::text), 'where it is cheapest') from told as t;
-- (10 × 8 + 5 × 40) / 1,000,000 with 25 percent on it
select is((t.baseline_cost_usd, t.customer_cost_usd, t.saved_usd), (0.00035, 0.000025, 0.000325), 'to the last token') from told as t;
select is(
    t.baseline_cost_usd, round((
        t.input_tokens * t.baseline_input_usd_per_million + coalesce(t.cache_read_tokens, 0) * t.baseline_cache_read_usd_per_million
        + coalesce(t.cache_write_tokens, 0) * t.baseline_cache_write_usd_per_million + t.output_tokens * t.baseline_output_usd_per_million
    ) / 1000000 * (1 + t.markup_percent / 100), 10), 'each row shows what it was made from'
) from told as t;
select test.book_at('shop', clock_timestamp(), '{"total_tokens": 15, "cache_read_tokens": 10, "input_uncached_tokens": 0}');
select is((t.compared_with, t.baseline_cost_usd), ('TENANT_BASELINE'::text, 0.00026), 'else with the tenant''s baseline, cached input as such') from told as t;
-- Dearer for years, it turns out, and dearer from tomorrow on: what was reckoned with stays what was known then.
select test.make_price(util.hash_key('dear', 'model-x'), 'output', 4000, '2020-01-01'),
    test.make_price(util.hash_key('dear', 'model-x'), 'input', 4000, clock_timestamp() + interval '1 day');
select is((select array_agg(s.saved_usd order by s.request_timestamp) from business_vault.savings as s where s.customer = 'shop'),
    '{0.000325,-2.49974}'::numeric[], 'at prices of then; what was dearer shows as a loss');
select test.book_at('plain', clock_timestamp(), '{"total_tokens": 15, "model_asked": "auto"}'),
    test.book_at('plain', clock_timestamp(), '{"total_tokens": 15, "model_asked": "unknown"}');
select is_empty($$select * from business_vault.savings as s where s.customer = 'plain'$$, 'nothing to compare with is no saving');
select is(test.read_as('onevault_bi', 'test tenant', 'select count(*) from business_vault.savings'), '0', 'a tenant sees its own');
-- From more than twelve input tokens on all of a call costs half.
select test.make_offer('steps', 'model-s', 8, 40), test.make_offer('steps', 'model-t', 1, 1);
select test.make_price(util.hash_key('steps', 'model-s'), m, p, '-infinity', '{"threshold_tokens": 12}')
from (values ('input', 4), ('output', 20)) as v (m, p);
select count(test.book_at('shop', clock_timestamp(), format(
    '{"model_asked": "model-s", "model_used": "model-t", "total_tokens": 15, "prompt_tokens": %s}', t
)::jsonb)) from unnest('{12,13}'::integer[]) as t;
select is(
    (select array_agg(s.baseline_cost_usd order by s.request_timestamp) from business_vault.savings as s where s.baseline_model = 'model-s'),
    '{0.00035,0.000175}'::numeric[], 'and at the price for as many input tokens'
);
-- Who is cheapest depends on the call; of two that cost the same the first by name; who asks nothing for output is none.
select test.make_offer(v.p, 'model-m', v.i, v.o)
from (values ('reader', 1, 90), ('writer', 90, 1), ('also-reader', 1, 90), ('embedder', 0.1, 1)) as v (p, i, o);
delete from gateway.offer_price_s where offer_hk = util.hash_key('embedder', 'model-m') and meter = 'output';
select count(test.book_at('shop', clock_timestamp(), format(
    '{"model_asked": "model-m", "input_uncached_tokens": %s, "output_tokens": %s, "total_tokens": 100}', t, 100 - t
)::jsonb)) from unnest('{99,1,50}'::integer[]) as t;
select is(
    (
        select array_agg(s.baseline_provider || ' ' || trim_scale(s.baseline_cost_usd) order by s.request_timestamp)
        from business_vault.savings as s where s.baseline_model = 'model-m'
    ),
    '{also-reader 0.00023625,writer 0.00023625,also-reader 0.0056875}'::text[], 'once each, by the cheapest of those who can'
);
select * from finish();
rollback;
