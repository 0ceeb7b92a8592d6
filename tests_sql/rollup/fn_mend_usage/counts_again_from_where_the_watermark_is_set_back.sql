begin;
select plan(3);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at('user', now() - interval '5 hours');
select test.roll_up();
select ops.fn_mend_usage();
select ops.fn_roll_up_spending();
-- An import, with the dates that it had elsewhere.
select test.book_at('user', now() - interval '10 days' - n * interval '1 hour') from generate_series(1, 5) as n;
select test.roll_up();
select ops.fn_mend_usage();
select is(sum(u.request_count), 1::numeric, 'nobody looks that far back by himself') from ops.usage_hourly as u;
-- Mutant: where hours of the server's clock begin at half past ours, none is mended any more.
set local timezone = 'Asia/Kolkata';
update ops.watermark set rolled_up_to = now() - interval '11 days' where rollup_name = 'usage';
select test.roll_up();
select ops.fn_mend_usage();
select is(sum(u.request_count), 6::numeric, 'set back, all is in, and nothing twice') from ops.usage_hourly as u;
select is(
    (select sum(s.total_requests) from business_vault.customer_spending as s), 6::numeric, 'in what was spent, too'
);
select * from finish();
rollback;
