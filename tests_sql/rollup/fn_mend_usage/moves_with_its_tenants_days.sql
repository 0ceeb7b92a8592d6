-- Mutant: an hour that is counted again after its tenant has moved to another time zone is there twice, under two days.
begin;
select plan(9);
select test.make_offer('maker', 'model-a');
insert into admin.tenant (tenant, time_zone) values ('mover', 'Pacific/Pago_Pago');
select test.make_customer('user', '{}', 'mover'), test.make_customer('other');
select test.booked('user', '2026-01-31 20:00Z', 7), test.booked('user', '2026-01-31 20:10Z', 3), test.booked('other', '2026-01-31 20:00Z', 1);
select test.roll_up();
update admin.tenant set time_zone = 'Pacific/Kiritimati' where tenant = 'mover';
select ops.fn_mend_usage();
select results_eq(
    $$select h.customer_bk::text, u.usage_day, u.request_count, trim_scale(u.customer_cost_usd) from ops.usage_hourly as u
        inner join gateway.customer_h as h on u.customer_hk = h.customer_hk order by h.customer_bk, u.usage_day$$,
    $$values ('other', '2026-01-31'::date, 1::bigint, 1::numeric), ('user', '2026-02-01', 2, 10)$$, 'it is there once, on the day that it is now'
);
select is(test.read_as('onevault_dba', null, $$select string_agg(s.billing_period || ' ' || trim_scale(s.customer_cost_usd), ', '
    order by s.billing_period) from business_vault.customer_spending as s where s.customer = 'user'$$), '2026-01-01 0, 2026-02-01 10', 'in the month''s spending, too');
select is(ops.fn_mend_usage(), 0::bigint, 'once');
select lives_ok($$select gateway.sp_close_month('2026-01-01')$$, 'the month can be closed');
select gateway.sp_close_month('2026-02-01');
select is(test.balance_of('user', 'receivable'), 10.0000000000, 'and all of it is billed');

-- Mutant: of an hour that is of two days now, the part that moved is there twice, and billed twice.
insert into admin.tenant (tenant, time_zone) values ('half past', 'UTC');
select test.make_customer('parted', '{}', 'half past');
select test.booked('parted', '2026-01-31 18:10Z', 7), test.booked('parted', '2026-01-31 18:40Z', 3);
update ops.watermark set rolled_up_to = '2026-01-31 10:00Z' where rollup_name = 'usage';
select test.roll_up(), ops.fn_mend_usage();
update admin.tenant set time_zone = 'Asia/Kolkata' where tenant = 'half past';
update ops.watermark set rolled_up_to = '2026-01-31 10:00Z' where rollup_name = 'usage mended';
select is(ops.fn_mend_usage(), 2::bigint, 'an hour is mended in both months that it is of now');
select results_eq(
    $$select u.usage_day, u.request_count, trim_scale(u.customer_cost_usd) from ops.usage_hourly as u
        where u.customer_hk = util.hash_key('parted') order by u.usage_day$$,
    $$values ('2026-01-31'::date, 1::bigint, 7::numeric), ('2026-02-01', 1, 3)$$, 'each part is there once'
);
update admin.tenant set time_zone = 'Asia/Kathmandu' where tenant = 'half past';
select test.booked('parted', '2026-01-31 18:20Z', 2, p_booked_after => interval '2 days'), test.roll_up();
update ops.watermark set rolled_up_to = '2026-01-31 10:00Z' where rollup_name = 'usage mended';
select ops.fn_mend_usage();
select results_eq(
    $$select u.usage_day, u.request_count, trim_scale(u.customer_cost_usd) from ops.usage_hourly as u
        where u.customer_hk = util.hash_key('parted') order by u.usage_day$$,
    $$values ('2026-01-31'::date, 1::bigint, 7::numeric), ('2026-02-01', 2, 5)$$, 'with what came late, too'
);
update admin.tenant set time_zone = 'UTC' where tenant = 'half past';
update ops.watermark set rolled_up_to = '2026-01-31 10:00Z' where rollup_name = 'usage mended';
select ops.fn_mend_usage();
select results_eq(
    $$select u.usage_day, u.request_count, trim_scale(u.customer_cost_usd) from ops.usage_hourly as u
        where u.customer_hk = util.hash_key('parted') order by u.usage_day$$,
    $$values ('2026-01-31'::date, 3::bigint, 12::numeric)$$, 'and back in one'
);
select * from finish();
rollback;
