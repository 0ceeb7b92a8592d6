-- Mutants: parts of an invoice, each turned into USD by itself, leave a ten-billionth of a dollar on receivable and on
-- tax_payable; what a note leaves of an invoice that was paid in part stays there.
begin;
select plan(9);
select test.make_offer('maker', 'model-a');
select test.make_customer('euro'), test.make_customer('mixed'), test.make_customer('ahead');
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2026-01-10', 0.7);
insert into admin.tax_rate (tax, valid_from, tax_percent, description) values ('VAT', '2020-01-01', 20, 'VAT 20 %');
insert into admin.billing_profile (customer, currency, tax) values ('euro', 'EUR', 'VAT'), ('mixed', 'EUR', null), ('ahead', 'EUR', null);
insert into admin.credit (customer, credit_kind, amount_usd, valid_from, description) values ('ahead', 'PREPAID', 3.001, '2026-01-01', 'wire 1');
select test.booked('euro', '2026-01-15 10:00Z', 10), test.booked('mixed', '2026-01-15 10:00Z', 10), test.booked('ahead', '2026-01-15 10:00Z', 10);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create function test.number_of(p_customer text) returns text language sql as $$ select c.invoice_number from closed as c where c.customer = p_customer $$;
-- 10 USD are 7 EUR, with tax 8.40.
select admin.issue_credit_note(test.number_of('euro'), 1.2, 'an outage') from generate_series(1, 7);
select is((test.balance_of('euro', 'receivable'), test.balance_of('euro', 'tax_payable')), (0.0000000000, 0.0000000000), 'all of it is given back');
select is(
    (select trim_scale(s.total - s.credited) || ' ' || s.invoice_status from gateway.invoice_s as s
        where s.invoice_number = test.number_of('euro') and s.load_end_date is null), '0 PAID', 'in its currency, too'
);
select is((select sum(p.amount_usd) from gateway.ledger_posting_s as p where p.customer_hk = util.hash_key('euro')), 0.0000000000, 'the books balance');
select ok(abs(test.balance_of('euro', 'rounding')) between 0.0000000001 and 0.000000001, 'what is left of it is rounding');
-- What notes and payments leave of each other.
select admin.record_payment(test.number_of('mixed'), 2.33, 'bank 1'), admin.issue_credit_note(test.number_of('mixed'), 1.11, 'an outage');
select is(admin.record_payment(test.number_of('mixed'), 3.56, 'bank 2'), 'paid', 'the rest of it is paid');
select is(test.balance_of('mixed', 'receivable'), 0.0000000000, 'and nothing is left in USD');
-- Of 3.001 USD that were paid ahead it has 2.10 EUR, which are 3 USD.
select admin.issue_credit_note(test.number_of('ahead'), 5.9, 'an outage');
select is(test.balance_of('ahead', 'receivable'), -1.4285714286, 'his is what the note gives back beyond what was due');
select admin.issue_credit_note(test.number_of('ahead'), 1.1, 'all of it');
select is(test.balance_of('ahead', 'receivable'), -3.0010000000, 'and where all was given back, what he has paid');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
