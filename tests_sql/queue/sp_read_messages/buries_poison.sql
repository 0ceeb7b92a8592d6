begin;
select plan(5);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('unlucky');
create temporary table decision as select d.* from test.route(sha256('unlucky/token'), '{"max_output_tokens": 1}') as d;
select gateway.sp_read_messages(100, 0) from generate_series(1, 5);
select is(q.read_ct, 5, 'read five times') from pgmq.q_standard as q, decision as d where q.msg_id = d.msg_id;
select gateway.sp_read_messages(100, 0);
select is(count(*)::integer, 0, 'not a sixth time') from pgmq.q_standard as q, decision as d where q.msg_id = d.msg_id;
select is(m.api_request_bk, d.request_id, 'it is in the dead table') from ops.dead_message as m, decision as d
where m.msg_id = d.msg_id and m.queue_name = 'standard';
select is((test.scope_of('unlucky')).day_held_usd, 0.0000000000, 'its hold is given back');
select is(s.response_status, 'VOIDED', 'and it is booked at nothing') from gateway.api_request_s as s
where s.customer_hk = util.hash_key('unlucky');
select * from finish();
rollback;
