-- Mutant: one who is gone, and whose tax has ended, keeps everybody's month open.
begin;
select plan(4);
select test.make_offer('maker', 'model-a');
select test.make_customer('gone'), test.make_customer('user');
insert into admin.tax_rate (tax, valid_from, valid_to, tax_percent, description) values ('old tax', '2026-01-01', '2026-02-01', 10, 'Old tax');
insert into admin.billing_profile (customer, tax) values ('gone', 'old tax');
select test.booked('gone', '2026-01-15 10:00Z', 1), test.booked('user', '2026-02-15 10:00Z', 2);
select gateway.sp_close_month('2026-01-01');
delete from admin.customer where customer = 'gone';
select results_eq($$select c.customer, c.total from gateway.sp_close_month('2026-02-01') as c$$, $$values ('user', '2.00')$$, 'who owes nothing needs no tax');
select test.booked('gone', '2026-02-16 10:00Z', 1, p_booked_after => interval '3 days');
select throws_ok($$select gateway.sp_close_month('2026-03-01')$$, 'VG409', 'The customer ''gone'' pays the tax ''old tax'', which has no rate for 2026-03-31',
    'who owes something does');
select throws_ok($$select gateway.sp_close_month(null)$$, 'VG400', 'A month is to be named', 'no month is none');
select throws_ok($$select gateway.sp_close_month('infinity')$$, 'VG400', null, 'nor is one that never ends');
select * from finish();
rollback;
