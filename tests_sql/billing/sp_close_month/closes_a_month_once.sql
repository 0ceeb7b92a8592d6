begin;
select plan(12);
select test.make_offer('maker', 'model-a');
select test.make_tenant('north', '{"time_zone": "Pacific/Auckland"}'), test.make_tenant('south');
select test.make_customer('auckland', '{}', 'north'), test.make_customer('bluff', '{}', 'north'), test.make_customer('idle', '{}', 'north'),
    test.make_customer('cape', '{}', 'south');
-- The last hour of January and the first of February, in the tenant's own calendar.
select test.booked('auckland', '2026-01-31 10:59Z', 1), test.booked('auckland', '2026-01-31 11:00Z', 2), test.booked('bluff', '2026-01-15 10:00Z', 3),
    test.booked('cape', '2026-01-15 10:00Z', 4);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-20', 'north') as c;
select results_eq($$select c.customer, c.total from closed as c$$, $$values ('auckland', '1.00'), ('bluff', '3.00')$$, 'who used something, by his calendar');
select results_eq(
    $$select c.invoice_number, c.total from gateway.sp_close_month('2026-01-01', 'north') as c$$,
    $$select c.invoice_number, c.total from closed as c$$, 'closed again it is the same'
);
select is((select count(*) from gateway.invoice_s as s), 2::bigint, 'and nothing else was written');
select results_eq(
    $$select c.tenant, c.customer from gateway.sp_close_month('2026-01-01') as c$$,
    $$values ('north', 'auckland'), ('north', 'bluff'), ('south', 'cape')$$, 'for all tenants those that are left'
);
select is(
    (select array_agg(right(s.invoice_number, 6) order by s.invoice_number) from gateway.invoice_s as s where s.load_end_date is null),
    '{000001,000002,000003}', 'numbered without a gap'
);
-- What was booked later belongs to the next invoice, in a line of its own.
select test.booked('bluff', '2026-01-20 10:00Z', 0.5, p_booked_after => interval '40 days');
select test.booked('bluff', '2026-02-10 10:00Z', 7);
select gateway.sp_close_month('2026-02-01', 'north');
select results_eq(
    $$select l.* from test.lines_of('bluff', '2026-02-01') as l$$,
    $$values ('USAGE', 'maker/model-a', 7::numeric), ('ADJUSTMENT', 'Usage of 2026-01 booked later: maker/model-a', 0.5)$$, 'and says so'
);
select results_eq(
    $$select l.* from test.lines_of('bluff', '2026-01-01') as l$$, $$values ('USAGE', 'maker/model-a', 3::numeric)$$, 'what was final stays'
);
select is(test.balance_of('bluff', 'unbilled'), 0.0000000000, 'nothing is left unbilled');
select is(test.balance_of('bluff', 'receivable'), 10.5000000000, 'all of it is owed');
select throws_ok($$update gateway.invoice_line_s as l set amount = 0$$, 'VG409', null, 'lines cannot be changed');
select throws_ok(
    $$select util.fn_load_satellite('gateway.invoice_s', jsonb_build_object('invoice_hk', s.invoice_hk), '{"total": 1, "subtotal": 1}', 'test')
        from gateway.invoice_s as s where s.load_end_date is null$$, 'VG409', null, 'nor sums'
);
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
