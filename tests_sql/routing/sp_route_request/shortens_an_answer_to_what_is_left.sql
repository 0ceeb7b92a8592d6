-- Mutants: the remaining money is not looked at (every call of this kind is refused), a floor that is not kept, a
-- rounding up that passes the limit by a token.
begin;
select plan(17);
-- 1,000 USD a million: a token of output is 0.001 USD, 74 tokens of prompt are 0.074.
select test.make_offer('maker', 'dear', 1000, 1000, '{"max_output_tokens": 2000, "default_output_tokens": 1000}');

create function pg_temp.limit_of(p_decision gateway.route_decision) returns integer language sql as $$
    select (r.candidates -> 0 ->> 'max_output_tokens')::integer
    from (select q.message -> 'candidates' as candidates from pgmq.q_standard as q where q.msg_id = p_decision.msg_id) as r;
$$;

select test.make_customer('saver', '{"cost_budget_daily": 0.5, "markup_percent": 25}');
create temporary table made as select test.route(sha256('saver/token'), '{"max_output_tokens": 1000}') as d;
select is((d).status, 'routed', 'half of what it may cost is left, so half an answer') from made;
-- (0.5 / 1.25 - 0.074) / 0.001
select is(pg_temp.limit_of(d), 326, 'to the last token that is paid for') from made;
select is((d).detail::jsonb, '{"max_output_tokens": 326, "by": "budget"}', 'and the decision says so') from made;
select is((test.scope_of('saver')).day_held_usd, 0.5, 'all that was left is held');
select is((test.route(sha256('saver/token'), '{"max_output_tokens": 1000}')).status, 'budget_exceeded', 'nothing is left');
select is(
    test.settle(d, '{"input_uncached": 74, "output": 100}') -> 'limited',
    '{"max_output_tokens": 326, "by": "budget"}', 'and the receipt says so'
) from made;
select is((test.scope_of('saver')).day_spent_usd, 0.2175, 'what was used is charged');
select ok(r.is_same, 'it is decided again as it was')
from made as m, admin.replay((m.d).request_id::uuid) as r;

-- 0.2825 USD are left: 152 tokens.
select is(pg_temp.limit_of(test.route(sha256('saver/token'), '{"max_output_tokens": 1000}')), 152, 'an eighth of what was asked for is an answer');
select test.make_customer('broke', '{"cost_budget_daily": 0.2, "markup_percent": 0}');
select is((test.route(sha256('broke/token'), '{"max_output_tokens": 1100}')).status, 'budget_exceeded', '126 tokens of 1,100 are none');
select is((test.scope_of('broke')).day_held_usd, 0::numeric, 'and hold nothing');
select is(pg_temp.limit_of(test.route(sha256('broke/token'), '{"max_output_tokens": 63}')), 63, 'a short one is given whole');

select test.make_customer('token saver', '{"markup_percent": 0}');
select test.make_token('token saver', 'limited', '{"cost_budget_monthly": 0.3}');
select is(
    (test.route(sha256('token saver/limited'), '{"max_output_tokens": 1000}')).detail::jsonb,
    '{"max_output_tokens": 226, "by": "budget"}', 'a token''s budget counts as well'
);

select is(
    (test.route(sha256('token saver/token'), '{"max_output_tokens": 1000, "max_cost": "0.574"}')).detail::jsonb,
    '{"max_output_tokens": 500, "by": "max_cost"}', 'max_cost buys as much as it pays for'
);
select is(
    (test.route(sha256('token saver/token'), '{"max_output_tokens": 1000, "max_cost": "1.074"}')).detail, null,
    'nothing is said of a whole one'
);

select test.make_offer('maker', 'cheap', 1, 1, '{"max_output_tokens": 2000, "default_output_tokens": 1000, "quality_score": 10}');
select is(
    (test.route(sha256('broke/token'), '{"max_output_tokens": 1100}')).model, 'cheap',
    'a cheaper model is asked where the first is too dear'
);
select is(
    (test.route(sha256('broke/token'), '{"max_output_tokens": 1100, "model": "dear"}')).status, 'budget_exceeded',
    'but not instead of one that was named'
);
select * from finish();
rollback;
