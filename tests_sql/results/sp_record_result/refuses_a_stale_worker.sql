begin;
select plan(4);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('buyer');
create temporary table decision as select d.* from test.route(sha256('buyer/token')) as d;
select gateway.sp_read_messages(100, 0);
select gateway.sp_read_messages(100, 60);
create temporary table stale as select test.make_result(
    test.decision(to_jsonb(d)), jsonb_build_array(test.one_attempt(test.decision(to_jsonb(d)), '{"input_uncached": 1, "output": 1}'))
) as result from decision as d;
select is(gateway.sp_record_result(s.result) ->> 'status', 'FENCED', 'the first reader is too late') from stale as s;
select is(count(*)::integer, 1, 'nothing was settled') from ops.reservation as r where r.customer_hk = util.hash_key('buyer');
select is(gateway.sp_record_result(s.result || '{"read_ct": 2}') ->> 'settled', 'true', 'the second reader settles') from stale as s;
select is(count(*)::integer, 1, 'once') from gateway.api_request_s as s where s.customer_hk = util.hash_key('buyer');
select * from finish();
rollback;
