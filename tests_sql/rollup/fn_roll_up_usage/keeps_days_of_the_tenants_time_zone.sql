begin;
select plan(4);
select test.make_offer('maker', 'model-a');
-- Midnight there is 18:30 here: within an hour of the clock.
select test.make_tenant('kolkata', '{"time_zone": "Asia/Kolkata"}');
select test.make_customer('east', '{}', 'kolkata');
select test.book_at('east', timestamptz '2026-03-31 18:10+00'), test.book_at('east', timestamptz '2026-03-31 18:50+00');
create temporary view daily as
select array_agg((d.usage_day, d.request_count)::text order by d.usage_day) as days
from business_vault.usage_daily as d where d.customer = 'east';
select is(d.days, array['(2026-03-31,1)', '(2026-04-01,1)'], 'two days before it is rolled up') from daily as d;
select test.roll_up();
select is(d.days, array['(2026-03-31,1)', '(2026-04-01,1)'], 'and after') from daily as d;
select is(
    (select array_agg((h.usage_hour at time zone 'UTC', h.request_count)::text) from business_vault.usage_hourly as h),
    array['("2026-03-31 18:00:00",2)'], 'one hour, though'
);
select ops.fn_load_spending(util.hash_key('east'), 'east', '2026-04-01');
select is(
    (select c.total_requests from business_vault.customer_spending as c where c.billing_period = '2026-04-01'), 1::bigint,
    'a month, too, begins at its midnight'
);
select * from finish();
rollback;
