begin;
select plan(5);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('daily', '{"cost_budget_daily": 5, "cost_budget_monthly": 12, "markup_percent": 0}');
create temporary table yesterday as
select d.* from test.route(sha256('daily/token'), '{"max_output_tokens": 5}') as d;
select is((test.route(sha256('daily/token'), '{"max_output_tokens": 1}')).status, 'budget_exceeded', 'the day is full');
-- A day passes.
update ops.scope_state set day_number = day_number - 1 where scope_hk = util.hash_key('daily');
update ops.reservation set day_number = day_number - 1 where customer_hk = util.hash_key('daily');
select is((test.route(sha256('daily/token'), '{"max_output_tokens": 5}')).status, 'routed', 'a new day, a new budget');
select test.settle(test.decision(to_jsonb(y)), '{"input_uncached": 0, "output": 4}') from yesterday as y;
select is((test.scope_of('daily')).day_held_usd, 5.0000000000, 'yesterday''s call leaves today''s hold alone');
select is((test.scope_of('daily')).day_spent_usd, 0::numeric, 'and today''s spending');
select is((test.scope_of('daily')).month_spent_usd, 4.0000000000, 'the month knows of it');
select * from finish();
rollback;
