-- Mutants: budgets not looked at; a token's budget taken for its customer's; a refusal that still chooses.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 1000, 1000);
select test.make_customer('poor', '{"cost_budget_daily": 1, "cost_budget_monthly": 50}');
create temporary table asked (request jsonb) on commit drop;
insert into asked values ('{"model": "model-a", "prompt_bytes": 100, "max_output_tokens": 2000}');
create temporary table told as
select e.* from asked as a cross join lateral admin.explain_route('poor', a.request) as e;
select is(t.worst_case_cost_usd <= 1, true, 'what is left pays for a shorter answer') from told as t where t.chosen;
create temporary table met as
select d.status from asked as a cross join lateral test.route(sha256('poor/token'), a.request) as d;
select is(m.status || ', ' || trim_scale(r.held_usd), 'routed, ' || trim_scale(t.worst_case_cost_usd), 'so does the road')
from met as m, told as t, ops.reservation as r where t.chosen and r.customer_hk = util.hash_key('poor');
update ops.scope_state set day_spent_usd = 1, day_held_usd = 0 where scope_hk = util.hash_key('poor');
create temporary table spent as
select e.* from asked as a cross join lateral admin.explain_route('poor', a.request) as e;
select is(e.provider, null::text, 'a refusal comes before a thousand offers')
from (
    select row_number() over () as place, f.provider from asked as a cross join lateral admin.explain_route('poor', a.request) as f
) as e
where e.place = 1;
select is_empty('select s.* from spent as s where s.chosen', 'nothing is chosen when nothing is left');
select matches(s.reason, '^refused: The daily budget of this customer is 1 USD; 1 are spent', 'and the budget is named')
from spent as s where s.provider is null;
select is(
    substr((select s.reason from spent as s where s.provider is null), 10), d.message, 'in the words that the caller gets'
)
from asked as a cross join lateral test.route(sha256('poor/token'), a.request) as d;
select is(s.reason, 'dropped: it may cost more than the budget has left', 'each offer says so') from spent as s
where s.provider = 'maker';
update ops.scope_state set day_spent_usd = 0 where scope_hk = util.hash_key('poor');
select test.make_token('poor', 'small', '{"cost_budget_daily": 0.00001}');
select matches(
    (select e.reason from admin.explain_route('poor', a.request || '{"token": "small", "max_output_tokens": 100}') as e where e.provider is null),
    'The daily budget of this token is', 'a token''s own'
)
from asked as a;
select test.make_customer('rich');
select is(e.worst_case_cost_usd > 2, true, 'without budgets nothing is shortened')
from asked as a cross join lateral admin.explain_route('rich', a.request) as e where e.chosen;
select * from finish();
rollback;
