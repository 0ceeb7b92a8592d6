begin;
select plan(5);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at('user', now() - interval '5 hours');
select test.roll_up();
select ops.fn_roll_up_spending();
-- A transaction that was open for hours commits: its fact was booked before the watermark.
select test.book_at('user', now() - interval '5 hours');
select test.roll_up();
select is(sum(u.request_count), 1::numeric, 'the rollup has passed it') from ops.usage_hourly as u;
select is(ops.fn_mend_usage(), 1::bigint, 'its customer''s hour is mended');
select is(sum(u.request_count), 2::numeric, 'it is in') from ops.usage_hourly as u;
select is(ops.fn_mend_usage(), 0::bigint, 'once');
select is(s.total_requests, 2::bigint, 'and spending knows') from business_vault.customer_spending as s;
select * from finish();
rollback;
