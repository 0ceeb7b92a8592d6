-- Mutant: what was billed and is of the next month since its tenant moved to another time zone is billed twice, where it
-- was all that the month had of its model.
begin;
select plan(4);
select test.make_offer('maker', 'model-a'), test.make_offer('maker', 'model-b');
insert into admin.tenant (tenant, time_zone) values ('mover', 'Pacific/Pago_Pago');
select test.make_customer('user', '{}', 'mover');
select test.booked('user', '2026-02-01 10:30Z', 7), test.booked('user', '2026-01-20 10:30Z', 4, 'maker', 'model-b');
select test.roll_up(), gateway.sp_close_month('2026-01-01');
select results_eq($$select * from test.lines_of('user', '2026-01-01')$$,
    $$values ('USAGE', 'maker/model-a', 7::numeric), ('USAGE', 'maker/model-b', 4)$$, 'it is billed by the clock of then');
update admin.tenant set time_zone = 'UTC' where tenant = 'mover';
select ops.fn_mend_usage(), gateway.sp_close_month('2026-02-01');
select results_eq($$select * from test.lines_of('user', '2026-02-01')$$,
    $$values ('USAGE', 'maker/model-a', 7::numeric), ('ADJUSTMENT', 'Usage of 2026-01 booked later: maker/model-a', -7)$$,
    'what is of another month now is given back where it is billed again');
select is(test.balance_of('user', 'receivable'), 11.0000000000, 'and owed once');
select gateway.sp_close_month('2026-03-01');
select is(test.balance_of('user', 'receivable'), 11.0000000000, 'and given back once');
select * from finish();
rollback;
