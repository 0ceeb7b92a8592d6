-- Mutants: one that does not wait for the close, one that writes off twice, one that forgets what comes back.
begin;
select plan(15);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on) values
('user', 'bought', 'PREPAID', 100, '2026-01-01', '2026-02-01'), ('user', 'given', 'PROMOTION', 5, '2026-01-01', '2026-02-15'),
('user', 'lasting', 'PREPAID', 7, '2026-01-01', 'infinity');
select test.booked('user', '2026-01-15 10:00Z', 30), test.booked('user', '2026-02-10 10:00Z', 2);
create function test.credits() returns table (credit text, used numeric, expired numeric, remaining numeric) language sql as $$
    select c.credit, c.used_usd, c.expired_usd, c.remaining_usd from admin.credit as c order by c.credit;
$$;
select is(ops.fn_write_off_credits(), 0, 'January may still be paid with it');
select gateway.sp_close_month('2026-01-01');
select results_eq(
    $$select * from test.credits()$$,
    $$values ('bought', 25::numeric, 0::numeric, 75::numeric), ('given', 5, 0, 0), ('lasting', 0, 0, 7)$$,
    'the promotion first, then who expires first, though its day is over'
);
select is(ops.fn_write_off_credits(), 1, 'then the rest ends');
select results_eq(
    $$select * from test.credits()$$,
    $$values ('bought', 25::numeric, 75::numeric, 0::numeric), ('given', 5, 0, 0), ('lasting', 0, 0, 7)$$, 'of one alone'
);
select is((test.balance_of('user', 'breakage'), test.balance_of('user', 'promotion')), (-75.0000000000, 5.0000000000), 'it is ours');
select is(ops.fn_write_off_credits(), 0, 'once');
select throws_ok($$update admin.credit set expires_on = '2099-01-01' where credit = 'bought'$$, 'VG409', null, 'what has ended does not begin again');
-- What a void invoice gives back ends as well.
select admin.void_invoice(s.invoice_number, 'wrong') from gateway.invoice_s as s where s.load_end_date is null;
select results_eq(
    $$select * from test.credits()$$,
    $$values ('bought', 0::numeric, 75::numeric, 25::numeric), ('given', 0, 0, 5), ('lasting', 0, 0, 7)$$, 'it comes back'
);
select is(ops.fn_write_off_credits(), 1, 'February is open, so one of them');
select is(test.balance_of('user', 'breakage'), -100.0000000000, 'and ends again');
select gateway.sp_close_month('2026-02-01');
select results_eq(
    $$select * from test.credits()$$,
    $$values ('bought', 0::numeric, 100::numeric, 0::numeric), ('given', 2, 0, 3), ('lasting', 7, 0, 0)$$, 'the next month takes what is left'
);
-- 30 of January lie on the last day of February, which the promotion is not good for.
select is(ops.fn_write_off_credits(), 1, 'the promotion ends');
select is((test.balance_of('user', 'promotion'), test.balance_of('user', 'breakage')), (2.0000000000, -100.0000000000), 'less is given away');
select is(
    (select count(*) from gateway.ledger_entry_h as h where h.ledger_entry_bk like 'expiry:user|bought:%'), 2::bigint, 'each entry has its own name'
);
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
