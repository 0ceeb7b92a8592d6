begin;
select plan(7);
select test.make_offer('maker', 'model-a', 0, 0);
select test.make_customer('waiter');
create temporary table decision as select d.* from test.route(sha256('waiter/token')) as d;
select gateway.sp_read_messages(100, 60);
select is(
    gateway.sp_renew_messages(jsonb_build_array(jsonb_build_object('queue', d.queue, 'msg_id', d.msg_id, 'read_ct', 1)), 300), 1,
    'renewed by its reader'
) from decision as d;
select is(
    gateway.sp_renew_messages(jsonb_build_array(jsonb_build_object('queue', d.queue, 'msg_id', d.msg_id, 'read_ct', 2)), 300), 0,
    'not by another'
) from decision as d;
select ok(not gateway.sp_release_message(d.queue, d.msg_id, 2), 'a late report releases nothing') from decision as d;
select ok(gateway.sp_release_message(d.queue, d.msg_id, 1), 'the reader''s death releases it') from decision as d;
select is(
    gateway.sp_renew_messages(jsonb_build_array(jsonb_build_object('queue', d.queue, 'msg_id', d.msg_id, 'read_ct', 1)), 300), 0,
    'what was given back is not its reader''s any more'
) from decision as d;
select is(array_agg(r.read_ct), '{2}', 'the next one reads it') from gateway.sp_read_messages(100, 60) as r;
select is(
    gateway.sp_renew_messages(jsonb_build_array(jsonb_build_object('queue', d.queue, 'msg_id', d.msg_id, 'read_ct', 2)), 300), 1,
    'and holds it'
) from decision as d;
select * from finish();
rollback;
