-- Mutant: another payment under a known reference is said to be recorded, and is not.
begin;
select plan(9);
select test.make_offer('maker', 'model-a');
select test.make_customer('one'), test.make_customer('two');
select test.booked('one', '2026-01-15 10:00Z', 10), test.booked('two', '2026-01-15 10:00Z', 10);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create function test.number_of(p_customer text) returns text language sql as $$ select c.invoice_number from closed as c where c.customer = p_customer $$;
select is(admin.record_payment(test.number_of('one'), 4, 'wire 1'), 'paid in part', 'a payment');
select throws_ok(format($$select admin.record_payment('%s', 10, 'wire 1')$$, test.number_of('two')), 'VG409',
    format('''wire 1'' is the reference of another payment, of 4.00 USD for %s', test.number_of('one')), 'of another invoice it is refused');
select throws_ok(format($$select admin.record_payment('%s', 6, ' wire 1')$$, test.number_of('one')), 'VG409', null, 'and of another amount');
select is(admin.record_payment(test.number_of('one'), 4, 'wire 1 '), 'it is recorded already', 'told again it is the same');
select is(admin.record_payment(test.number_of('two'), 10, 'wire 1, second'), 'paid', 'told apart it is recorded');
select admin.record_payment(test.number_of('one'), 6, 'wire 2');
select admin.issue_credit_note(c.invoice_number, 3, 'an outage') from closed as c;
select is(admin.record_refund('one', 3, 'wire 3'), 'refunded', 'a refund');
select throws_ok($$select admin.record_refund('two', 3, 'wire 3')$$, 'VG409', '''wire 3'' is the reference of another refund, of 3 USD to one',
    'to somebody else it is another one');
select is(admin.record_refund('one', 3.0, 'wire 3'), 'it is recorded already', 'told again it is the same');
select is((test.balance_of('one', 'cash'), test.balance_of('two', 'cash')), (7.0000000000, 10.0000000000), 'cash is what came and went');
select * from finish();
rollback;
