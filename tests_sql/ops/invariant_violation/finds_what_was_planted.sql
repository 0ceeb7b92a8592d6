-- Written around every guard, since no door of the house can make these.
begin;
select plan(10);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('planted', '{"markup_percent": 0}');
select test.make_customer('stranger', '{}', 'another tenant');
create temporary table decision as select d.* from test.route(sha256('planted/token'), '{"max_output_tokens": 5}') as d;
create temporary table settled as select d.* from test.route(sha256('planted/token'), '{"max_output_tokens": 5}') as d;
select test.settle(test.decision(to_jsonb(d)), '{"output": 2}') from settled as d;
select is_empty('select v.* from ops.invariant_violation as v', 'a sound house has none');

update ops.scope_state set month_spent_usd = month_spent_usd + 0.0000000001 where scope_hk = util.hash_key('planted');
select results_eq('select v.invariant from ops.invariant_violation as v', array['budget_invariant'], 'a nano-unit too much');
update ops.scope_state set month_spent_usd = month_spent_usd - 0.0000000001 where scope_hk = util.hash_key('planted');

update gateway.api_request_attempt_s set is_charged = false where customer_hk = util.hash_key('planted');
select is(v.finding, 'is charged for no attempt', 'a charge without an attempt') from ops.invariant_violation as v;
update gateway.api_request_attempt_s set is_charged = true where customer_hk = util.hash_key('planted');
insert into gateway.api_request_attempt_s
select (jsonb_populate_record(a, '{"attempt_number": 2}')).* from gateway.api_request_attempt_s as a
where a.customer_hk = util.hash_key('planted');
select is(v.finding, 'is charged for 2 attempts', 'a double charge') from ops.invariant_violation as v;
delete from gateway.api_request_attempt_s where customer_hk = util.hash_key('planted') and attempt_number = 2;

update gateway.api_request_s set tenant_hk = util.hash_key('another tenant') where customer_hk = util.hash_key('planted');
select results_eq('select v.invariant from ops.invariant_violation as v', array['foreign_row'], 'a row of another tenant');
update gateway.api_request_s set tenant_hk = util.hash_key('test tenant') where customer_hk = util.hash_key('planted');
update gateway.api_request_s set token_hk = util.hash_key('stranger', 'token') where customer_hk = util.hash_key('planted');
select results_eq('select distinct v.invariant from ops.invariant_violation as v', array['foreign_row'], 'a token of another customer');
update gateway.api_request_s set token_hk = util.hash_key('planted', 'token') where customer_hk = util.hash_key('planted');

update ops.reservation set deadline = now() - interval '10 minutes' where customer_hk = util.hash_key('planted');
select results_eq('select v.invariant from ops.invariant_violation as v', array['overdue_request'], 'a hold that nobody gives back');
update ops.reservation set deadline = now() where customer_hk = util.hash_key('planted');

insert into pgmq.q_basic (vt, message) values (now(), '{}');
select results_eq('select v.invariant from ops.invariant_violation as v', array['stray_message'], 'a message of no request');
delete from pgmq.q_basic where true;

delete from ops.reservation where customer_hk = util.hash_key('planted');
select set_eq('select v.invariant from ops.invariant_violation as v',
    array['unaccounted_request', 'budget_invariant', 'stray_message'], 'a request that vanished');
select set_config('onevault.check_from', '2099-01-01', true);
select set_eq('select v.invariant from ops.invariant_violation as v', array['budget_invariant', 'stray_message'],
    'what is older than asked for is not looked at');
select * from finish();
rollback;
