-- Mutants: the hook removed; the hook after the reservation; the queue of the customer's tier instead of the call's.
begin;
select plan(6);
update ops.admission as a set longest_wait = s.longest_wait from test.admission as s where a.queue_name = s.queue_name;
delete from pgmq.q_premium; delete from pgmq.q_standard; delete from pgmq.q_basic;
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('gold', '{"priority_tier": "PREMIUM"}');
select test.make_customer('small', '{"priority_tier": "BASIC"}');
insert into pgmq.q_basic (vt, message) values (clock_timestamp() - interval '5 s', '{}');
create temporary table refused as select d.* from test.route(sha256('small/token')) as d;
select is(r.status, 'overloaded', 'refused') from refused as r;
select is(r.http_status, 503, 'as a passing trouble') from refused as r;
select is(count(*)::integer, 0, 'and nothing is held') from ops.reservation as r
where r.customer_hk = util.hash_key('small');
select is((test.route(sha256('gold/token'))).status, 'routed', 'premium is not touched');
select is(
    (test.route(sha256('gold/token'), '{"priority": "basic"}')).status, 'overloaded',
    'unless the call asks for the tier that is'
);
select is((test.route(sha256('nobody/token'))).status, 'invalid_token', 'and a stranger learns nothing');
select * from finish();
rollback;
