begin;
select plan(10);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('poor', '{"cost_budget_daily": 12, "cost_budget_monthly": 30, "markup_percent": 0}');
-- Output costs one USD a token: a call with max_output_tokens 5 holds five.
select is((test.route(sha256('poor/token'), '{"max_output_tokens": 5}')).status, 'routed', '5 of 12');
select is((test.route(sha256('poor/token'), '{"max_output_tokens": 5}')).status, 'routed', '10 of 12');
create temporary table refusal as
select d.* from test.route(sha256('poor/token'), '{"max_output_tokens": 3}') as d;
select is(r.status, 'budget_exceeded', '13 of 12') from refusal as r;
select is(r.http_status, 402) from refusal as r;
select is(
    (r.detail::jsonb -> 'budget') - 'resets_at',
    '{"scope": "customer", "period": "daily", "limit_usd": 12, "spent_usd": 0, "held_usd": 10, "needed_usd": 3}',
    'it names the budget'
) from refusal as r;
select is((test.route(sha256('poor/token'), '{"max_output_tokens": 2}')).status, 'routed', 'exactly the last cent');
select is((test.scope_of('poor')).day_held_usd, 12.0000000000, 'not one cent over');
select test.make_token('poor', 'limited', '{"cost_budget_daily": 1}');
select test.make_customer('poor', '{"cost_budget_daily": 100}');
select is((test.route(sha256('poor/limited'), '{"max_output_tokens": 2}')).detail::jsonb #>> '{budget,scope}', 'token',
    'a token''s own budget holds as well');
select is((test.scope_of('poor')).day_held_usd, 12.0000000000, 'what the customer''s scope gave is given back');
select throws_ok(
    $$update ops.scope_state set day_spent_usd = 101 where scope_hk = util.hash_key('poor')$$, '23514', null,
    'a check is the last line of defence'
);
select * from finish();
rollback;
