-- Mutant: a prepaid credit is asked for days that a promotion has paid, and expires unused while others are due.
begin;
select plan(7);
select test.make_offer('maker', 'model-a');
select test.make_customer('first'), test.make_customer('last'), test.make_customer('all');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on) values
('first', 'gift', 'PROMOTION', 50, '2026-01-20', '2026-02-01'), ('first', 'wire', 'PREPAID', 100, '2026-01-01', '2026-01-11'),
('last', 'gift', 'PROMOTION', 50, '2026-01-01', '2026-01-11'), ('last', 'wire', 'PREPAID', 100, '2026-01-01', '2026-01-11'),
('all', 'gift', 'PROMOTION', 2.001, '2026-01-01', '2026-02-01'), ('all', 'wire', 'PREPAID', 100, '2026-01-01', '2026-02-01');
select test.booked(c.customer, d.moment::timestamptz, 50)
from unnest('{first,last}'::text[]) as c (customer) cross join unnest('{2026-01-05 10:00Z,2026-01-20 10:00Z}'::text[]) as d (moment);
select test.booked('all', '2026-01-05 10:00Z', 2.006);
-- The gate of who pays ahead knows it before the close.
create function test.open_of(p_customer text) returns numeric language sql as $$ select trim_scale(gateway.fn_measure_prepaid(util.hash_key(p_customer))) $$;
select is(test.open_of('first'), 100::numeric, 'expired credits still pay for both days');
select is(test.open_of('last'), 50::numeric, 'or for the one that they are good for');
select gateway.sp_close_month('2026-01-01');
select results_eq(
    $$select c.customer, c.credit, c.used_usd from admin.credit as c order by c.customer, c.credit$$,
    $$values ('all', 'gift', 2.001), ('all', 'wire', 0.01), ('first', 'gift', 50), ('first', 'wire', 50), ('last', 'gift', 50), ('last', 'wire', 0)$$,
    'what was paid ahead pays what the promotion leaves of its days, and nothing else'
);
select results_eq(
    $$select h.customer_bk::text, s.invoice_status::text, s.total - s.prepaid_applied from gateway.invoice_s as s
        inner join gateway.invoice_h as i on s.invoice_hk = i.invoice_hk inner join gateway.customer_h as h on i.customer_hk = h.customer_hk
        where s.load_end_date is null order by 1$$,
    $$values ('all', 'PAID', 0::numeric), ('first', 'PAID', 0), ('last', 'FINAL', 50)$$, 'the rest is due'
);
select is(test.balance_of('first', 'receivable'), 0.0000000000, 'he owes nothing');
select is(ops.fn_write_off_credits(), 3, 'what is left is written off');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
