begin;
select plan(8);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.booked('user', '2026-01-15 10:00Z', 1.005);
select results_eq(
    $$select c.status, c.invoice_number, c.total from gateway.sp_close_month('2026-01-01', p_finalise => false) as c$$,
    $$values ('draft', null, '1.00')$$, 'a draft has no number'
);
select test.booked('user', '2026-01-16 10:00Z', 1);
select is((select c.total from gateway.sp_close_month('2026-01-01', p_finalise => false) as c), '2.00', 'drawn up again it knows more');
select is((select c.status || c.total from gateway.sp_close_month('2026-01-01') as c), 'final2.00', 'the close makes it final');
select results_eq(
    $$select s.invoice_status::text from gateway.invoice_s as s order by s.load_date$$, $$values ('DRAFT'), ('DRAFT'), ('FINAL')$$,
    'every state of it is kept'
);
select is(
    (select l.remainder from gateway.invoice_line_s as l inner join gateway.invoice_s as s on l.load_date = s.lines_load_date and s.load_end_date is null),
    0.0050000000, 'and what rounding took'
);
-- Who has nothing to pay after all has no draft any more.
insert into admin.subscription (customer, plan, valid_from) values ('user', 'analytics', '2026-02-01');
select is((select c.status || c.total from gateway.sp_close_month('2026-02-01', p_finalise => false) as c), 'draft50.00', 'a draft of a fee');
delete from admin.subscription where customer = 'user';
select is_empty($$select c.* from gateway.sp_close_month('2026-02-01') as c$$, 'that is not to be paid is no invoice');
select is_empty($$select s.* from gateway.invoice_s as s where s.load_end_date is null and s.invoice_status = 'DRAFT'$$, 'nor a draft for ever');
select * from finish();
rollback;
