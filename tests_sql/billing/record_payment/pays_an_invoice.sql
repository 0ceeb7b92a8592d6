begin;
select plan(12);
select test.make_offer('maker', 'model-a');
select test.make_customer('user'), test.make_customer('euro');
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2026-01-10', 0.7);
insert into admin.billing_profile (customer, currency) values ('euro', 'EUR');
select test.booked('user', '2026-01-15 10:00Z', 10), test.booked('euro', '2026-01-15 10:00Z', 10);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create function test.number_of(p_customer text) returns text language sql as $$ select c.invoice_number from closed as c where c.customer = p_customer $$;
select is(admin.record_payment(test.number_of('user'), 4, 'bank 1'), 'paid in part', 'a part of it');
select is(admin.record_payment(test.number_of('user'), 4, 'bank 1'), 'it is recorded already', 'told again it is no other payment');
select throws_ok(format($$select admin.record_payment('%s', 6.01, 'bank 2')$$, test.number_of('user')), 'VG409',
    format('Of %s 6.00 USD is due, and it is final', test.number_of('user')), 'no more than is due');
select throws_ok(format($$select admin.record_payment('%s', 6.001, 'bank 2')$$, test.number_of('user')), null, null, 'nor a tenth of a cent');
select throws_ok($$select admin.record_payment('OV-0000', 6, 'bank 2')$$, 'VG404', null, 'nor for no invoice');
select throws_ok(format($$select admin.record_payment('%s', 6, ' ')$$, test.number_of('user')), 'VG400', null, 'nor without a reference');
select is(admin.record_payment(lower(test.number_of('user')), 6, 'bank 2'), 'paid', 'the rest of it');
select is(
    (admin.sp_read_bill('user', '2026-01-01') ->> 'status', admin.sp_read_bill('user', '2026-01-01') ->> 'due'), ('paid'::text, '0.00'::text),
    'it is paid'
);
select is(test.balance_of('user', 'receivable'), 0.0000000000, 'nothing is owed');
select is(
    (select s.billing_status::text from gateway.customer_spending_s as s where s.spending_hk = util.hash_key('user', '2026-01') and s.load_end_date is null),
    'PAID', 'and the month says so'
);
-- 10 USD are 7 EUR; parts of it leave nothing over in USD.
select admin.record_payment(test.number_of('euro'), 2.33, 'bank 3'), admin.record_payment(test.number_of('euro'), 4.67, 'bank 4');
select is(test.balance_of('euro', 'receivable'), 0.0000000000, 'nor in another currency');
select is(test.balance_of('euro', 'cash'), 10.0000000000, 'all of it was paid');
select * from finish();
rollback;
