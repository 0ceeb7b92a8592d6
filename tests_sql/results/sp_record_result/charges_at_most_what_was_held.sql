begin;
select plan(4);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('buyer', '{"cost_budget_daily": 5, "markup_percent": 0}');
create temporary table decision as
select d.* from test.route(sha256('buyer/token'), '{"max_output_tokens": 5}') as d;
select test.settle(test.decision(to_jsonb(d)), '{"input_uncached": 1, "output": 7}') from decision as d;
select is(s.customer_cost, 5.0000000000, 'the customer pays what was held') from gateway.api_request_s as s
where s.customer_hk = util.hash_key('buyer');
select is(s.provider_cost, 7.0000000000, 'the provider asks for more') from gateway.api_request_s as s
where s.customer_hk = util.hash_key('buyer');
select is((s.gateway_markup, s.house_loss), (-2.0000000000, 2.0000000000), 'the rest is the house''s loss') from gateway.api_request_s as s
where s.customer_hk = util.hash_key('buyer');
select is((test.scope_of('buyer')).day_spent_usd, 5.0000000000, 'the budget is kept');
select * from finish();
rollback;
