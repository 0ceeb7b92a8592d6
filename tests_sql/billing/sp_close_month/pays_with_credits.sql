begin;
select plan(13);
select test.make_offer('maker', 'model-a');
select test.make_customer('paid'), test.make_customer('partly');
insert into admin.tax_rate (tax, valid_from, tax_percent, description) values ('vat', '2026-01-01', 10, 'VAT');
insert into admin.billing_profile (customer, tax) values ('partly', 'vat');
insert into admin.credit (customer, credit, credit_kind, amount_usd, priority, valid_from, description) values
('paid', 'welcome', 'PROMOTION', 20, 100, '2026-01-01', 'Welcome'), ('paid', 'sorry', 'PROMOTION', 3, 1, '2026-01-01', 'For the outage'),
('paid', 'wire', 'PREPAID', 100, 100, '2026-01-01', null), ('partly', 'wire', 'PREPAID', 50, 100, '2026-01-01', null);
select test.booked('paid', '2026-01-15 10:00Z', 80), test.booked('partly', '2026-01-15 10:00Z', 80);
create temporary table closed as select c.* from gateway.sp_close_month('2026-01-01') as c;
select results_eq(
    $$select l.* from test.lines_of('paid', '2026-01-01') as l$$,
    $$values ('USAGE', 'maker/model-a', 80::numeric), ('PROMOTION', 'For the outage', -3), ('PROMOTION', 'Welcome', -20)$$,
    'promotions are lines, the first one first'
);
create function test.paid(p_customer text) returns text language sql as $$
    select concat_ws(' ', s.invoice_status, trim_scale(s.total), trim_scale(s.prepaid_applied), trim_scale(s.total - s.prepaid_applied - s.paid))
    from gateway.invoice_h as h inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    where h.customer_hk = util.hash_key(p_customer) and s.invoice_kind = 'INVOICE';
$$;
select is(test.paid('paid'), 'PAID 57 57 0', 'the rest was paid ahead, so it is paid');
select is(test.paid('partly'), 'FINAL 88 50 38', 'what was paid ahead pays tax, too; the rest is due');
select is(admin.sp_read_bill('paid', '2026-01-01') ->> 'due', '0.00', 'the bill says so');
select is(admin.sp_read_bill('partly', '2026-01-01') ->> 'prepaid_applied', '50.00', 'and what was taken');
select results_eq(
    $$select s.customer_bk::text, trim_scale(c.credits_applied), c.billing_status::text
        from gateway.customer_spending_h as h inner join gateway.customer_spending_s as c on h.spending_hk = c.spending_hk and c.load_end_date is null
        inner join gateway.customer_h as s on h.customer_hk = s.customer_hk order by 1$$,
    $$values ('paid', 80::numeric, 'PAID'), ('partly', 50, 'BILLED')$$, 'spending says what credits paid'
);
select results_eq(
    $$select c.customer, c.credit, c.used_usd, c.remaining_usd from admin.credit as c order by c.customer, c.credit$$,
    $$values ('paid', 'sorry', 3::numeric, 0::numeric), ('paid', 'welcome', 20, 0), ('paid', 'wire', 57, 43), ('partly', 'wire', 50, 0)$$,
    'and so do they'
);
select is(
    (test.balance_of('paid', 'unbilled'), test.balance_of('paid', 'receivable'), test.balance_of('paid', 'prepaid'), test.balance_of('paid', 'promotion')),
    (0.0000000000, 0.0000000000, -43.0000000000, 23.0000000000), 'nothing is owed'
);
select is((test.balance_of('partly', 'unbilled'), test.balance_of('partly', 'receivable')), (0.0000000000, 38.0000000000), 'but by the other one');
select results_eq(
    $$select trim_scale(sum(l.amount_usd)) from gateway.ledger_posting_s as l group by l.ledger_entry_hk having sum(l.amount_usd) <> 0$$,
    $$select 0::numeric where false$$, 'every entry balances'
);
-- Void, and everything is where it was.
select admin.void_invoice(c.invoice_number, 'wrong') from closed as c where c.customer = 'paid';
select is(test.balance_of('paid', 'prepaid'), -123.0000000000, 'what is void gives back');
select is(test.balance_of('paid', 'unbilled'), 80.0000000000, 'and is unbilled');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
