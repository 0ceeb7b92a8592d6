-- Mutants: what is due is told without what was credited; a note beyond it makes what is due negative; a void invoice
-- keeps what was credited; a note that is taken off its invoice stays due to the customer beside it.
begin;
select plan(26);
select test.make_offer('maker', 'model-a');
select test.make_customer(c) from unnest('{part,all,more,after,ahead,void,prepaid}'::text[]) as c;
select test.booked(c, '2026-01-15 10:00Z', 10) from unnest('{part,all,more,after,ahead,void,prepaid}'::text[]) as c;
insert into admin.credit (customer, credit_kind, amount_usd, valid_from, description) values ('ahead', 'PREPAID', 7, '2026-01-01', 'wire 1'),
    ('prepaid', 'PREPAID', 10, '2026-01-01', 'wire 2');
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
create function test.number_of(p_customer text) returns text language sql as $$ select c.invoice_number from closed as c where c.customer = p_customer $$;
create function test.stands(p_customer text, p_kind text default 'INVOICE') returns text language sql as $$
    select test.read_as('onevault_dba', null, format($q$
        select string_agg(concat_ws(' ', i.invoice_status, trim_scale(i.credited_amount), trim_scale(i.prepaid_amount), trim_scale(i.paid_amount),
            trim_scale(i.due_amount)), ', ' order by i.invoice_number)
        from business_vault.invoice as i where i.customer = %L and i.invoice_kind = %L$q$, p_customer, p_kind))
$$;
select clock_timestamp() as before \gset
select admin.issue_credit_note(test.number_of('part'), 4, 'an outage');
select is(test.stands('part'), 'FINAL 4 0 0 6', 'less is due');
select is(test.stands('part', 'CREDIT_NOTE'), 'PAID -4 0 0 0', 'and the note gives back nothing else');
select throws_ok(format($$select admin.record_payment('%s', 6.01, 'bank 1')$$, test.number_of('part')), 'VG409',
    format('Of %s 6.00 USD is due, and it is final', test.number_of('part')), 'no more is paid than is due');
select is(admin.record_payment(test.number_of('part'), 6, 'bank 1'), 'paid', 'that pays it');
select is(test.stands('part'), 'PAID 4 0 6 0', 'nothing is due');
select is(
    (select concat_ws(' ', b ->> 'status', b ->> 'total', b ->> 'credited', b ->> 'paid', b ->> 'due') from admin.sp_read_bill('part', '2026-01-01') as b),
    'paid 10.00 4.00 6.00 0.00', 'the bill says so'
);
select is(
    (select concat_ws(' ', b ->> 'status', b ->> 'credited', b ->> 'due') from admin.sp_read_bill('part', '2026-01-01', :'before') as b),
    'final 0.00 10.00', 'and what it was before'
);
select is((test.balance_of('part', 'receivable'), test.balance_of('part', 'cash')), (0.0000000000, 6.0000000000), 'as the ledger');
select throws_ok($$select admin.record_refund('part', 0.01, 'bank 2')$$, 'VG409', null, 'nothing is too much');

select admin.issue_credit_note(test.number_of('all'), 3, 'an outage'), admin.issue_credit_note(test.number_of('all'), 7, 'all of it');
select is(test.stands('all'), 'PAID 10 0 0 0', 'all of it is credited: nobody owes anything');
select is(test.stands('all', 'CREDIT_NOTE'), 'PAID -3 0 0 0, PAID -7 0 0 0', 'by both notes');
select is(
    (select s.billing_status::text from gateway.customer_spending_s as s where s.spending_hk = util.hash_key('all', '2026-01') and s.load_end_date is null),
    'PAID', 'and the month says so'
);

select admin.record_payment(test.number_of('more'), 8, 'bank 3'), admin.issue_credit_note(test.number_of('more'), 5, 'an outage');
select is(test.stands('more'), 'PAID 2 0 8 0', 'no less than nothing is due');
select is(test.stands('more', 'CREDIT_NOTE'), 'FINAL -2 0 0 -3', 'the rest is his');
select is(admin.record_refund('more', 3, 'bank 4'), 'refunded', 'and goes back');
select is(test.balance_of('more', 'receivable'), 0.0000000000, 'all of it');
select is(test.stands('more', 'CREDIT_NOTE'), 'PAID -2 0 -3 0', 'nothing of the note is left to be given back');

select admin.record_payment(test.number_of('after'), 10, 'bank 5'), admin.issue_credit_note(test.number_of('after'), 4, 'an outage');
select is(test.stands('after') || ', ' || test.stands('after', 'CREDIT_NOTE'), 'PAID 0 0 10 0, FINAL 0 0 0 -4', 'what is paid stays as it was paid');
select is(test.balance_of('after', 'receivable'), -4.0000000000, 'and the note is his');

select admin.issue_credit_note(test.number_of('ahead'), 2, 'an outage');
select is(test.stands('ahead'), 'FINAL 2 7 0 1', 'beside what was paid ahead');
select is(admin.record_payment(test.number_of('ahead'), 1, 'bank 6'), 'paid', 'the rest is paid');

select admin.issue_credit_note(test.number_of('void'), 4, 'an outage');
select matches(admin.void_invoice(test.number_of('void'), 'wrong address', true), '^void, in its place', 'a void one takes its notes along');
select is(test.stands('void') || ', ' || test.stands('void', 'CREDIT_NOTE'), 'VOID 0 0 0 0, FINAL 0 0 0 10, VOID 0 0 0 0', 'of the other all is due');
select is(test.balance_of('void', 'receivable'), 10.0000000000, 'as the ledger says');
-- Void it could be, since credits have paid it, but for the money that went back.
select admin.issue_credit_note(test.number_of('prepaid'), 3, 'an outage'), admin.record_refund('prepaid', 3, 'bank 7');
select throws_ok(format($$select admin.void_invoice('%s', 'wrong')$$, test.number_of('prepaid')), 'VG409',
    format('%s is refunded, at least in part', (select max(s.invoice_number) from gateway.invoice_s as s where s.invoice_kind = 'CREDIT_NOTE')),
    'with a note that was refunded it stays');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
