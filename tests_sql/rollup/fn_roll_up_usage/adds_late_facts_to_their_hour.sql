begin;
select plan(4);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at('user', now() - interval '5 hours');
select test.roll_up();
-- Made days ago, booked only now: a request that was voided after a long stop, or an import.
select test.book_at('user', now() - interval '9 days', jsonb_build_object('load_date', clock_timestamp()));
select test.roll_up();
select is(sum(u.request_count), 2::numeric, 'it is in') from ops.usage_hourly as u;
select is(
    u.request_count, 1::bigint, 'in the hour in which it was made'
) from ops.usage_hourly as u where u.usage_hour = date_trunc('hour', now() - interval '9 days', 'UTC');
-- A request still under way keeps its key in reach of those who read.
create temporary table open as select d.* from test.route(sha256('user/token')) as d;
select test.roll_up();
select ok(
    ops.fn_usage_open_key() <= uuid_send(o.request_id::uuid), 'the lowest key to be counted is that of an open request'
) from open as o;
select test.settle(test.decision(to_jsonb(o))) from open as o;
select is(
    (select sum(u.request_count) from business_vault.usage_hourly as u), 3::numeric, 'so it is seen when it is booked'
);
select * from finish();
rollback;
