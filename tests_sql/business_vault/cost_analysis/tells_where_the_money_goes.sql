begin;
select plan(4);
select test.make_offer('maker', 'model-a'), test.make_offer('maker', 'model-b');
select test.make_customer('user');
select test.book_at('user', now(), '{"provider_cost": 3, "gateway_markup": 1, "customer_cost": 4, "cache_read_tokens": 30}');
select test.book_at('user', now(), '{"response_status": "ERROR", "provider_cost": 0, "gateway_markup": 0, "customer_cost": 0}');
select test.roll_up();
select test.book_at('user', now(), '{"customer_cost": 1, "provider_cost": 1, "gateway_markup": 0}', p_model => 'model-b');
create temporary view told as select a.* from business_vault.cost_analysis as a where a.customer = 'user';
select is(
    (t.request_count, t.unsuccessful_request_count, t.total_tokens, t.customer_cost_usd),
    (2::bigint, 1::bigint, 60::bigint, 4.0000000000), 'requests, tokens, cost'
) from told as t where t.model = 'model-a';
select is((t.markup_percent, t.customer_cost_per_request_usd), (33.33, 2.0000000000), 'what the markup came to, and a request')
from told as t where t.model = 'model-a';
select is((t.cache_read_percent, t.share_of_customer_percent), (60.00, 80.00), 'the cache''s part, and the model''s') from told as t
where t.model = 'model-a';
select is(t.share_of_customer_percent, 20.00, 'live calls count') from told as t where t.model = 'model-b';
select * from finish();
rollback;
