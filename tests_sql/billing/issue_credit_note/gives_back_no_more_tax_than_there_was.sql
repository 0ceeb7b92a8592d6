-- Mutant: parts of an invoice, each rounded by itself, give back a cent of tax that nobody paid.
begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('user'), test.make_customer('small');
insert into admin.tax_rate (tax, valid_from, tax_percent, description) values ('VAT', '2020-01-01', 20, 'VAT 20 %');
insert into admin.billing_profile (customer, tax) values ('user', 'VAT'), ('small', 'VAT');
select test.booked('user', '2026-01-15 10:00Z', 1), test.booked('small', '2026-01-15 10:00Z', 0.06);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create temporary table given as select number, admin.issue_credit_note(c.invoice_number, 0.4, 'an outage') as note
from closed as c cross join generate_series(1, 3) as number where c.customer = 'user';
select results_eq(
    $$select trim_scale(s.subtotal), trim_scale(s.tax_total) from given as g
        inner join gateway.invoice_s as s on g.note = s.invoice_number and s.load_end_date is null order by g.number$$,
    $$values (-0.33, -0.07), (-0.34, -0.06), (-0.33, -0.07)$$, 'three thirds'
);
select is(test.balance_of('user', 'tax_payable'), 0.0000000000, 'give back the tax');
select is((test.balance_of('user', 'receivable'), test.balance_of('user', 'adjustment')), (0.0000000000, 1.0000000000), 'and all else');
-- Seven cents, of which one is tax.
select admin.issue_credit_note(c.invoice_number, 0.01, 'an outage') from closed as c cross join generate_series(1, 7) where c.customer = 'small';
select is(test.balance_of('small', 'tax_payable'), 0.0000000000, 'cent by cent, too');
select throws_ok(format($$select admin.issue_credit_note('%s', 0.01, 'more')$$, c.invoice_number), 'VG409', null, 'and no cent more')
from closed as c where c.customer = 'small';
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
