-- Mutant: an invoice of which a credit leaves less than half a cent is due for nothing, and nobody can pay it.
begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('dollar'), test.make_customer('yen'), test.make_customer('short');
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('JPY', '2026-01-01', 157.33);
insert into admin.billing_profile (customer, currency) values ('yen', 'JPY');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from)
values ('dollar', 'wire', 'PREPAID', 9.998, '2026-01-01'), ('yen', 'wire', 'PREPAID', 6.354, '2026-01-01'),
    ('short', 'wire', 'PREPAID', 9.994, '2026-01-01');
select test.booked('dollar', '2026-01-15 10:00Z', 10), test.booked('yen', '2026-01-15 10:00Z', 6.3560668658), test.booked('short', '2026-01-15 10:00Z', 10);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
select results_eq(
    $$select c.customer, c.status, c.total from closed as c$$,
    $$values ('dollar', 'paid', '10.00'), ('short', 'final', '10.00'), ('yen', 'paid', '1000')$$, 'what no coin is left of is paid'
);
select is((test.balance_of('dollar', 'receivable'), test.balance_of('dollar', 'rounding')), (0.0000000000, 0.0020000000), 'the rest is rounding');
select is(test.balance_of('yen', 'receivable'), 0.0000000000, 'in yen, too');
select is(admin.sp_read_bill('short', '2026-01-01') ->> 'due', '0.01', 'a cent is due');
-- Made void it is all there again.
select admin.void_invoice(c.invoice_number, 'wrong') from closed as c where c.customer = 'dollar';
select is((test.balance_of('dollar', 'prepaid'), test.balance_of('dollar', 'rounding'), test.balance_of('dollar', 'unbilled')),
    (-9.9980000000, 0.0000000000, 10.0000000000), 'void gives back what was taken');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
