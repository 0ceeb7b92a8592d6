begin;
select plan(11);
select test.make_offer('maker', 'model-a');
select test.make_customer('asker');
create temporary table decision as select d.* from test.route(sha256('asker/token')) as d;
select gateway.sp_read_messages(100, 60);
select is(gateway.sp_reclaim_message(d.queue, d.msg_id, 1), 'released', 'its reader died') from decision as d;
select is(count(*)::integer, 1, 'the next one reads it') from gateway.sp_read_messages(100, 60);
select is(gateway.sp_reclaim_message(d.queue, d.msg_id, 1), 'taken', 'a late report moves nothing') from decision as d;
select is((gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), jsonb_build_array(test.one_attempt(test.decision(to_jsonb(d)), '{"output": 1}')), '{"read_ct": 2}'
))) ->> 'status', 'SUCCESS', 'which books it') from decision as d;
select is(gateway.sp_reclaim_message(d.queue, d.msg_id, 2), 'gone', 'nobody else will answer') from decision as d;

-- Bytes had been delivered, and the front dies as well before anybody has asked it.
create temporary table begun as select d.* from test.route(sha256('asker/token'), '{"max_output_tokens": 50}') as d;
select gateway.sp_read_messages(100, 60);
select is(gateway.sp_reclaim_message(d.queue, d.msg_id, 1, 40), 'released', 'its worker died in the middle') from begun as d;
select is((r.request_state, r.told_output_bytes), ('streaming'::text, 40::bigint), 'what was delivered is noted')
from ops.reservation as r, begun as d where r.api_request_hk = uuid_send(d.request_id::uuid);
select gateway.sp_read_messages(100, 60);
select is((gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), '[]', '{"read_ct": 2, "status": "CANCELLED", "class": "front_gone"}'
))) ->> 'status', 'CANCELLED', 'the next worker finds nobody') from begun as d;
select is((s.error_class, s.output_tokens, s.customer_cost > 0), ('worker_lost'::varchar, 10::bigint, true), 'and it is charged')
from gateway.api_request_s as s, begun as d where s.api_request_hk = uuid_send(d.request_id::uuid);

-- The same when another worker has the message by now: it may die as well before it has asked.
create temporary table passed_on as select d.* from test.route(sha256('asker/token'), '{"max_output_tokens": 50}') as d;
select gateway.sp_read_messages(100, 0);
select gateway.sp_read_messages(100, 60);
select is(gateway.sp_reclaim_message(d.queue, d.msg_id, 1, 40), 'taken', 'another worker has it') from passed_on as d;
select is(r.told_output_bytes, 40::bigint, 'what was delivered is noted all the same')
from ops.reservation as r, passed_on as d where r.api_request_hk = uuid_send(d.request_id::uuid);
select * from finish();
rollback;
