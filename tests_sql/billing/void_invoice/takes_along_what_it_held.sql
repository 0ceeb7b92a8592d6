-- Mutants: what an invoice held of the month before is lost with it; credit notes outlive their invoice.
begin;
select plan(10);
select test.make_offer('maker', 'model-a');
select test.make_customer('user'), test.make_customer('noted');
select test.booked('user', '2026-01-15 10:00Z', 100), test.booked('user', '2026-02-15 10:00Z', 7), test.booked('noted', '2026-01-15 10:00Z', 60);
create function test.number_of(p_customer text, p_month date) returns text language sql as $$
    select s.invoice_number from gateway.invoice_h as h inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    where h.customer_hk = util.hash_key(p_customer) and s.billing_period = p_month and s.invoice_status <> 'VOID' and s.invoice_kind = 'INVOICE';
$$;
-- January is on February's invoice, and that one is void when March is closed.
select gateway.sp_close_month('2026-01-01');
select admin.void_invoice(test.number_of('user', '2026-01-01'), 'wrong');
select gateway.sp_close_month('2026-02-01');
select gateway.sp_close_month('2026-03-01');
select admin.void_invoice(test.number_of('user', '2026-02-01'), 'wrong again');
select is(test.balance_of('user', 'unbilled'), 107.0000000000, 'both months are unbilled');
select gateway.sp_close_month('2026-04-01');
select results_eq(
    $$select l.* from test.lines_of('user', '2026-04-01') as l$$,
    $$values ('ADJUSTMENT', 'Usage of 2026-01 booked later: maker/model-a', 100::numeric),
        ('ADJUSTMENT', 'Usage of 2026-02 booked later: maker/model-a', 7)$$, 'the next invoice has both'
);
select is(test.balance_of('user', 'unbilled'), 0.0000000000, 'nothing is lost');
select gateway.sp_close_month('2026-05-01');
select is_empty($$select l.* from test.lines_of('user', '2026-05-01') as l$$, 'nor billed again');
-- What was given back of it goes with the invoice.
select admin.issue_credit_note(test.number_of('noted', '2026-01-01'), 20, 'an outage'),
    admin.issue_credit_note(test.number_of('noted', '2026-01-01'), 10, 'more');
select is((test.balance_of('noted', 'receivable'), test.balance_of('noted', 'adjustment')), (30.0000000000, 30.0000000000), 'half is given back');
select matches(admin.void_invoice(test.number_of('noted', '2026-01-01'), 'wrong address', true), '^void, in its place', 'another one in its place');
select is((test.balance_of('noted', 'receivable'), test.balance_of('noted', 'adjustment')), (60.0000000000, 0.0000000000), 'is owed in full');
select is(
    (select array_agg(s.invoice_status::text) from gateway.invoice_s as s where s.invoice_kind = 'CREDIT_NOTE' and s.load_end_date is null),
    '{VOID,VOID}', 'the notes are void, too'
);
select throws_ok(format($$select admin.issue_credit_note('%s', 60.01, 'all')$$, test.number_of('noted', '2026-01-01')), 'VG409', null,
    'what is given back is never more than was billed');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
