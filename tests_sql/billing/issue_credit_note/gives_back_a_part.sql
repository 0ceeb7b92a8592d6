begin;
select plan(14);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
insert into admin.tax_rate (tax, valid_from, tax_percent, description) values ('VAT', '2020-01-01', 20, 'VAT 20 %');
insert into admin.billing_profile (customer, tax) values ('user', 'VAT');
select test.booked('user', '2026-01-15 10:00Z', 100);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create function test.number_of(p_customer text) returns text language sql as $$ select c.invoice_number from closed as c where c.customer = p_customer $$;
select throws_ok(format($$select admin.issue_credit_note('%s', 120.01, 'too much')$$, test.number_of('user')), 'VG409', null, 'no more than was billed');
create temporary table note as select admin.issue_credit_note(test.number_of('user'), 30, 'An outage on the 15th') as number;
select matches((select n.number from note as n), '^OV-CN-[0-9]{4}-000001$', 'numbered in a series of its own');
select is(
    test.read_as('onevault_dba', null, $$select concat_ws(' ', i.refers_to, i.subtotal_amount, i.tax_amount, i.total_amount)
        from business_vault.invoice as i where i.invoice_kind = 'CREDIT_NOTE'$$),
    test.number_of('user') || ' -25.0000 -5.0000 -30.0000', 'with its tax, and what it is about'
);
select is(test.balance_of('user', 'receivable'), 90.0000000000, 'it lowers what is owed');
select is(test.balance_of('user', 'tax_payable'), -15.0000000000, 'and the tax');
select is(test.balance_of('user', 'adjustment'), 25.0000000000, 'the rest is ours to bear');
select throws_ok(format($$select admin.issue_credit_note('%s', 90.01, 'more')$$, test.number_of('user')), 'VG409',
    format('Of %s 90.00 USD can be given back, and it is final', test.number_of('user')), 'together no more than was billed');
select throws_ok($$select admin.record_refund('user', 1, 'bank 0')$$, 'VG409', null, 'nothing is too much yet');
select throws_ok(format($$select admin.record_payment('%s', 90.01, 'bank 1')$$, test.number_of('user')), 'VG409', null, 'what was given back is not paid');
select is(admin.record_payment(test.number_of('user'), 90, 'bank 1'), 'paid', 'the rest of it is');
select admin.issue_credit_note(test.number_of('user'), 30, 'Another outage');
select is(admin.record_refund('user', 30, 'bank 2'), 'refunded', 'what was paid and given back goes back');
select is(admin.record_refund('user', 30, 'bank 2'), 'it is recorded already', 'once');
select is(test.balance_of('user', 'receivable'), 0.0000000000, 'nobody owes anything');
select is(test.balance_of('user', 'cash'), 60.0000000000, 'and what is left is what was earned and the tax');
select * from finish();
rollback;
