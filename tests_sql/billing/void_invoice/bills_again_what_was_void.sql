begin;
select plan(15);
select test.make_offer('maker', 'model-a');
select test.make_customer('user'), test.make_customer('other');
insert into admin.subscription (customer, plan, valid_from, valid_to) values ('user', 'analytics', '2026-01-01', '2026-02-01');
select test.booked('user', '2026-01-15 10:00Z', 10), test.booked('other', '2026-01-15 10:00Z', 5);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create function test.number_of(p_customer text) returns text language sql as $$ select c.invoice_number from closed as c where c.customer = p_customer $$;
select throws_ok(format($$select admin.void_invoice('%s', '')$$, test.number_of('user')), 'VG400', null, 'not without a reason');
select matches(admin.void_invoice(test.number_of('user'), 'wrong address', true), '^void, in its place OV-[0-9]{4}-000003$', 'another one in its place');
select is((select s.invoice_status::text from gateway.invoice_s as s where s.invoice_number = test.number_of('user') and s.load_end_date is null),
    'VOID', 'the first one keeps its number');
select results_eq(
    $$select l.* from test.lines_of('user', '2026-01-01') as l$$,
    $$values ('USAGE', 'maker/model-a', 10::numeric), ('SERVICE', 'Real-time Analytics Dashboard', 50)$$, 'with the same lines'
);
select is((test.balance_of('user', 'receivable'), test.balance_of('user', 'unbilled')), (60.0000000000, 0.0000000000), 'it is owed once');
select is((test.balance_of('user', 'usage_revenue'), test.balance_of('user', 'service_revenue')), (-10.0000000000, -50.0000000000), 'and earned once');
select is(
    (select count(*) from gateway.ledger_entry_s as e where e.entry_kind like 'VOID%' and e.refers_to_hk is not null), 2::bigint,
    'by entries that refer to the first ones'
);
select throws_ok(format($$select admin.void_invoice('%s', 'again')$$, test.number_of('user')), 'VG409', null, 'void is for good');
-- Without another one the next invoice has it.
select is(admin.void_invoice(test.number_of('other'), 'not his'), 'void', 'void');
select is(test.balance_of('other', 'unbilled'), 5.0000000000, 'unbilled again');
select gateway.sp_close_month('2026-02-01');
select results_eq(
    $$select l.* from test.lines_of('other', '2026-02-01') as l$$,
    $$values ('ADJUSTMENT', 'Usage of 2026-01 booked later: maker/model-a', 5::numeric)$$, 'until the next month'
);
select is(test.balance_of('other', 'unbilled'), 0.0000000000, 'which bills it');
select admin.record_payment((select s.invoice_number from gateway.invoice_s as s inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk
    where h.customer_hk = util.hash_key('other') and s.billing_period = '2026-02-01' and s.load_end_date is null), 1, 'bank 1');
select throws_ok(format($$select admin.void_invoice('%s', 'late')$$, (select s.invoice_number from gateway.invoice_s as s
    inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk where h.customer_hk = util.hash_key('other') and s.billing_period = '2026-02-01'
    and s.load_end_date is null)), 'VG409', null, 'what is paid in part is not voided');
-- What is older than the next invoice looks back is not lost: another one takes its place.
select gateway.sp_close_month('2026-03-01');
create temporary table old as select s.invoice_number from gateway.invoice_s as s inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk
where h.customer_hk = util.hash_key('user') and s.billing_period = '2026-01-01' and s.invoice_status = 'FINAL' and s.load_end_date is null;
select throws_ok(format($$select admin.void_invoice('%s', 'late')$$, (select o.invoice_number from old as o)), 'VG409',
    format('%s is too old for the next invoice to hold what it billed', (select o.invoice_number from old as o)), 'an old one needs another in its place');
select matches(admin.void_invoice((select o.invoice_number from old as o), 'late', true), '^void, in its place', 'and gets it');
select * from finish();
rollback;
