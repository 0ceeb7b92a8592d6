begin;
select plan(8);
select test.make_offer('maker', 'model-a', 1000, 2000);
select test.make_customer('one'), test.make_customer('two');
select test.make_token('one', 'limited', '{"cost_budget_daily": 100}');
-- Three calls of one customer, two of them with a limited token, and one of another.
create temporary table called as
select c.place, to_jsonb(test.route(sha256(convert_to(c.who, 'UTF8')))) as d
from (values (1, 'one/token'), (2, 'two/token'), (3, 'one/limited'), (4, 'one/limited')) as c (place, who)
order by c.place;
select gateway.sp_read_messages(100, 60);
create temporary table batch as
select jsonb_agg(test.make_result(test.decision(c.d), jsonb_build_array(test.one_attempt(
    test.decision(c.d), jsonb_build_object('input_uncached', c.place, 'output', 0)
))) order by c.place) as results
from called as c;
-- The first one is told twice in the same breath.
create temporary table told as
select r.ordinal, r.receipt::jsonb as receipt
from batch as b cross join lateral gateway.sp_record_results(b.results || jsonb_build_array(b.results -> 0)) as r;

select results_eq(
    $$select t.ordinal, (t.receipt ->> 'settled')::boolean, t.receipt ->> 'status', t.receipt #>> '{cost,provider}' from told as t order by 1$$,
    $$values (1, true, 'SUCCESS', '0.001'), (2, true, 'SUCCESS', '0.002'), (3, true, 'SUCCESS', '0.003'), (4, true, 'SUCCESS', '0.004'),
        (5, false, 'SUCCESS', '0.001')$$, 'each is told its own; what is told twice is told from the books'
);
select is((select count(*) from gateway.api_request_s as s where s.customer_hk in (util.hash_key('one'), util.hash_key('two'))), 4::bigint, 'and booked once');
select is((select count(*) from gateway.api_request_attempt_s as s where s.customer_hk in (util.hash_key('one'), util.hash_key('two'))), 4::bigint,
    'with its attempt');
create temporary view scopes as
select s.scope_hk, s.day_spent_usd, s.month_spent_usd, s.day_held_usd + s.month_held_usd as held_usd from ops.scope_state as s;
-- 20 percent on top of the provider's.
select is((s.day_spent_usd, s.month_spent_usd, s.held_usd), (0.0096, 0.0096, 0.0), 'a customer is charged for all of his') from scopes as s
where s.scope_hk = util.hash_key('one');
select is((s.day_spent_usd, s.month_spent_usd, s.held_usd), (0.0024, 0.0024, 0.0), 'and for nobody else''s') from scopes as s
where s.scope_hk = util.hash_key('two');
select is((s.day_spent_usd, s.month_spent_usd, s.held_usd), (0.0084, 0.0084, 0.0), 'a token for what was called with it') from scopes as s
where s.scope_hk = util.hash_key('one', 'limited');
select is_empty($$select v.* from ops.invariant_violation as v$$, 'the books hold');
select is_empty($$select r.* from ops.reservation as r$$, 'and nothing is held any more');
select * from finish();
rollback;
