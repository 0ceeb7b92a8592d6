begin;
select plan(10);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('unlucky');
create temporary table decision as select d.* from test.route(sha256('unlucky/token'), '{"max_output_tokens": 1}') as d;
insert into pgmq.q_standard (vt, message) values (now(), '{"request": "no id", "customer": "none"}'), (now(), '[]');
select gateway.sp_read_messages(100, 0) from generate_series(1, 5);
select is(q.read_ct, 5, 'read five times') from pgmq.q_standard as q, decision as d where q.msg_id = d.msg_id;
select is(r.message::jsonb -> 'dead', 'true', 'the sixth reader is to tell whoever waits')
from gateway.sp_read_messages(100, 0) as r, decision as d where r.msg_id = d.msg_id;
select is(count(*)::integer, 0, 'none is left in the queue, malformed ones included') from pgmq.q_standard as q;
select is(m.api_request_bk, d.request_id, 'it is in the dead table') from ops.dead_message as m, decision as d
where m.msg_id = d.msg_id and m.queue_name = 'standard';
select is(array_agg(distinct m.error_class), '{too_many_readings}', 'with the reason') from ops.dead_message as m;
select is((test.scope_of('unlucky')).day_held_usd, 0.0000000000, 'its hold is given back');
select is((s.response_status, s.customer_cost), ('UNKNOWN'::varchar, 0.0000000000), 'booked as unknown and free')
from gateway.api_request_s as s where s.customer_hk = util.hash_key('unlucky');
select is(count(*)::integer, 5, 'with the five calls that may have been made') from gateway.api_request_attempt_s as a
where a.customer_hk = util.hash_key('unlucky') and a.outcome = 'UNKNOWN' and not a.is_charged;
select is(u.worst_case_usd, 5.0000000000, 'and what they may cost the house') from ops.unknown_request as u, decision as d
where u.request_id = d.request_id::uuid;
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
