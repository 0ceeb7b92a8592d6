begin;
select plan(8);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select throws_ok(
    format($$select gateway.sp_close_month('%s')$$, now()::date), 'VG409', null, 'a month that is not over'
);
select test.booked('user', '2026-01-15 10:00Z', 1), test.booked('user', '2026-02-15 10:00Z', 2);
select ops.fn_load_spending(util.hash_key('user'), 'user', m.month) from (
    select set_config('onevault.tenant', 'test tenant', true), unnest('{2026-01-01,2026-02-01}'::date[]) as month
) as m;
select throws_ok(
    $$select gateway.sp_close_month('2026-02-01')$$, 'VG409', '2026-01 of test tenant has charges and is not closed', 'before the one before it'
);
-- A call that began in the month and has not ended.
select test.route(sha256('user/token'));
update ops.reservation as r set reserved_at = '2026-01-31 23:59:59Z';
select throws_ok(
    $$select gateway.sp_close_month('2026-01-01')$$, 'VG409', '2026-01 of test tenant has 1 requests that have not ended', 'while one is under way'
);
delete from ops.reservation;
delete from gateway.api_request_h as h where not exists (select from gateway.api_request_s as s where s.api_request_hk = h.api_request_hk);
-- A request that was acknowledged and is neither open nor booked.
create temporary table lost as select test.booked('user', '2026-01-16 10:00Z', 1) as hk;
delete from gateway.api_request_s as s using lost as l where s.api_request_hk = l.hk;
select throws_ok(
    $$select gateway.sp_close_month('2026-01-01')$$, 'VG409', '2026-01 of test tenant has 1 requests that are not accounted for', 'while one is lost'
);
delete from gateway.api_request_h as h using lost as l where h.api_request_hk = l.hk;
-- A rollup that says something else than the books.
select test.roll_up();
update ops.usage_hourly as u set customer_cost_usd = u.customer_cost_usd + 0.0000000001 where u.usage_day = '2026-01-15';
select throws_ok(
    $$select gateway.sp_close_month('2026-01-01')$$, 'VG409', 'In 2026-01 of test tenant the rollups of ''user'' are not what the books say',
    'while the rollups are off by the tenth decimal'
);
update ops.usage_hourly as u set customer_cost_usd = u.customer_cost_usd - 0.0000000001 where u.usage_day = '2026-01-15';
select is((select count(*) from gateway.invoice_h as h), 0::bigint, 'a refusal leaves nothing');
select is((select c.total from gateway.sp_close_month('2026-01-01') as c), '1.00', 'then it closes');
select is((select c.total from gateway.sp_close_month('2026-02-01') as c), '2.00', 'and the next one');
select * from finish();
rollback;
