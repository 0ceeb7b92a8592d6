begin;
select plan(15);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('waiter', '{"markup_percent": 0}');

-- The first worker dies; the second one answers.
create temporary table answered as select d.* from test.route(sha256('waiter/token'), '{"max_output_tokens": 5}') as d;
select gateway.sp_read_messages(100, 0), gateway.sp_read_messages(100, 60);
select is(r.dispatch_count, 2::smallint, 'handed out twice') from ops.reservation as r where r.customer_hk = util.hash_key('waiter');
create temporary table receipt as
select gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), jsonb_build_array(test.one_attempt(test.decision(to_jsonb(d)), '{"output": 5}')), '{"read_ct": 2}'
)) as told from answered as d;
select is(r.told ->> 'attempts', '2', 'the receipt knows of both') from receipt as r;
select results_eq(
    $$select a.attempt_number, a.outcome::text, a.error_class::text, a.is_charged, a.provider_cost
        from gateway.api_request_attempt_s as a where a.customer_hk = util.hash_key('waiter') order by 1$$,
    $$values (1::smallint, 'UNKNOWN', 'worker_lost', false, 0::numeric), (2::smallint, 'SUCCESS', null, true, 5::numeric)$$,
    'the lost call stands first, unknown and free'
);
select is((s.response_status, s.customer_cost), ('SUCCESS'::varchar, 5.0000000000), 'and one is charged')
from gateway.api_request_s as s where s.customer_hk = util.hash_key('waiter');

-- Worker and front die; nothing is known.
create temporary table gone as select d.* from test.route(sha256('waiter/token'), '{"max_output_tokens": 5}') as d;
select gateway.sp_read_messages(100, 0), gateway.sp_read_messages(100, 60);
select is((gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), '[]', '{"read_ct": 2, "status": "CANCELLED", "class": "front_gone"}'
))) ->> 'status', 'UNKNOWN', 'an outcome that nobody knows is called so') from gone as d;
select is((test.scope_of('waiter')).day_held_usd, 0.0000000000, 'it holds nothing');

-- Worker and front die after the worker told that output flows.
create temporary table flowing as select d.* from test.route(sha256('waiter/token'), '{"max_output_tokens": 50}') as d;
select gateway.sp_read_messages(100, 60);
select is(gateway.sp_renew_messages(jsonb_build_array(jsonb_build_object(
    'queue', d.queue, 'msg_id', d.msg_id, 'read_ct', 1, 'request', d.request_id,
    'customer', encode(util.hash_key('waiter'), 'hex'), 'output_bytes', 40
)), 0), 1, 'told while it flows') from flowing as d;
select is((r.request_state, r.told_output_bytes), ('streaming'::text, 40::bigint), 'and noted') from ops.reservation as r
where r.customer_hk = util.hash_key('waiter');
select gateway.sp_read_messages(100, 60);
select is(r.request_state, 'streaming', 'another reader does not undo it') from ops.reservation as r
where r.customer_hk = util.hash_key('waiter');
select is((gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), '[]', '{"read_ct": 2, "status": "CANCELLED", "class": "front_gone"}'
))) #>> '{cost,customer}', '10', 'what flowed is charged: forty bytes, four a token') from flowing as d;
select is((s.response_status, s.error_class), ('CANCELLED'::varchar, 'worker_lost'::varchar), 'settled by what was told')
from gateway.api_request_s as s, flowing as d where s.api_request_hk = uuid_send(d.request_id::uuid);

-- A worker dies after output flowed, and the next one hears only that the customer has left.
create temporary table left_later as select d.* from test.route(sha256('waiter/token'), '{"max_output_tokens": 50}') as d;
select gateway.sp_read_messages(100, 0);
select gateway.sp_reclaim_message(d.queue, d.msg_id, 1, 40) from left_later as d;
select gateway.sp_read_messages(100, 60);
select is((gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), '[]', '{"read_ct": 2, "status": "CANCELLED", "class": "client_gone"}'
))) #>> '{cost,customer}', '10', 'what had flowed is charged, whoever else left') from left_later as d;

-- Both are there; the customer left before anything was delivered.
create temporary table left_early as select d.* from test.route(sha256('waiter/token'), '{"max_output_tokens": 5}') as d;
select gateway.sp_read_messages(100, 60);
select is((gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), '[]', '{"status": "CANCELLED", "class": "client_gone"}'
))) ->> 'status', 'CANCELLED', 'a reader that called nobody leaves nothing unknown') from left_early as d;
select is(ops.fn_sweep_requests(), 0, 'nothing is left to sweep');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
