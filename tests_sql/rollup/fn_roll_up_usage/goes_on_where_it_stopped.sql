begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at('user', now() - m * interval '1 hour') from generate_series(1, 40) as m;
select is(ops.fn_roll_up_usage(now() - interval '20 hours'), now() - interval '20 hours', 'it says how far it got');
select is(sum(u.request_count), 20::numeric, 'up to there, all is rolled up') from ops.usage_hourly as u;
select is((select sum(u.request_count) from business_vault.usage_hourly as u), 40::numeric, 'the rest is counted on reading');
select test.roll_up();
select is(sum(u.request_count), 40::numeric, 'the next run does what is left') from ops.usage_hourly as u;
-- Somebody sets it back.
update ops.watermark set rolled_up_to = now() - interval '10 hours' where rollup_name = 'usage';
select test.roll_up();
select is(sum(u.request_count), 40::numeric, 'set back, it counts nothing twice') from ops.usage_hourly as u;
-- Somebody removes it: the rollup is made anew.
delete from ops.watermark where rollup_name = 'usage';
update ops.usage_hourly set request_count = 77;
select test.roll_up();
select is(sum(u.request_count), 40::numeric, 'removed, it begins anew') from ops.usage_hourly as u;
select * from finish();
rollback;
