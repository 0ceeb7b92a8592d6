begin;
select plan(9);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('forgotten');
create temporary table decision as select d.* from test.route(sha256('forgotten/token'), '{"max_output_tokens": 3}') as d;
select is(ops.fn_sweep_requests(), 0, 'not before its time');
update ops.reservation set deadline = clock_timestamp() - interval '3 minutes' where customer_hk = util.hash_key('forgotten');
select is(ops.fn_sweep_requests(), 1, 'then it is closed');
select is((test.scope_of('forgotten')).month_held_usd, 0.0000000000, 'the hold is given back');
select is(count(*)::integer, 0, 'no message left') from pgmq.q_standard as q, decision as d where q.msg_id = d.msg_id;
select is(s.response_status, 'VOIDED', 'no worker ever had it: void') from gateway.api_request_s as s
where s.customer_hk = util.hash_key('forgotten');

create temporary table silent as select d.* from test.route(sha256('forgotten/token'), '{"max_output_tokens": 3}') as d;
select gateway.sp_read_messages(100, 60);
delete from pgmq.q_standard as q using silent as d where q.msg_id = d.msg_id;
select is(ops.fn_sweep_requests(), 0, 'a message just lost may be settled this moment');
update ops.reservation set reserved_at = clock_timestamp() - interval '2 minutes' where customer_hk = util.hash_key('forgotten');
select is(ops.fn_sweep_requests(), 1, 'later nobody will');
select is((s.response_status, s.customer_cost), ('UNKNOWN'::varchar, 0.0000000000), 'a worker had it: unknown, and free')
from gateway.api_request_s as s, silent as d where s.api_request_hk = uuid_send(d.request_id::uuid);
select is_empty('select v.* from ops.invariant_violation as v', 'and all is accounted for');
select * from finish();
rollback;
