begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('patient');
create temporary table decision as select d.* from test.route(sha256('patient/token')) as d;
create temporary table given as
select jsonb_build_array(jsonb_build_object('queue', d.queue, 'msg_id', d.msg_id, 'read_ct', 1)) as back from decision as d;
select gateway.sp_read_messages(100, 60);
select is((r.request_state, r.dispatch_count), ('dispatched'::text, 1::smallint), 'a worker has it') from ops.reservation as r
where r.customer_hk = util.hash_key('patient');
select is(gateway.sp_return_messages(g.back, 0), 1, 'it gives it back unused') from given as g;
select is((r.request_state, r.dispatch_count), ('reserved'::text, 0::smallint), 'nobody has it') from ops.reservation as r
where r.customer_hk = util.hash_key('patient');
select is(count(*)::integer, 1, 'and it can be read') from gateway.sp_read_messages(100, 60);
select is(gateway.sp_return_messages(g.back, 0), 0, 'the first reader can give nothing back any more') from given as g;
select is(r.dispatch_count, 1::smallint, 'and undoes nobody''s hand-out') from ops.reservation as r
where r.customer_hk = util.hash_key('patient');
select * from finish();
rollback;
