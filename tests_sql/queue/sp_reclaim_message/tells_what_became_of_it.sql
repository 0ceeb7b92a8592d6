begin;
select plan(5);
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
select * from finish();
rollback;
