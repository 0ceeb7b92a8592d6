begin;
select plan(5);
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
select * from finish();
rollback;
