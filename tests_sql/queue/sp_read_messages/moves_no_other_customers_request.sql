begin;
select plan(2);
select test.make_offer('maker', 'model-a');
select test.make_customer('ours'), test.make_customer('theirs');
create temporary table routed as select to_jsonb(test.route(sha256('ours/token'))) as d;
-- A message that names our request and another customer.
select pgmq.send('standard', jsonb_build_object('request', r.d ->> 'request_id', 'customer', encode(util.hash_key('theirs'), 'hex')))
from routed as r;
select pgmq.delete('standard', (r.d ->> 'msg_id')::bigint) from routed as r;
select is((select count(*) from gateway.sp_read_messages(100, 60)), 1::bigint, 'it is handed out');
select is((select r.request_state from ops.reservation as r where r.customer_hk = util.hash_key('ours')), 'reserved', 'and moves nothing of ours');
select * from finish();
rollback;
