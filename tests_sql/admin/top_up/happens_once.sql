begin;
select plan(8);
select test.make_customer('user'), test.make_customer('other');
select is(admin.top_up('USER', 25, ' wire 1 '), 'topped up', 'recorded');
select is(admin.top_up('user', 25.00, 'WIRE 1'), 'it is recorded already', 'once for a reference');
select results_eq(
    $$select c.credit, c.credit_kind, c.remaining_usd, c.expires_on from admin.credit as c$$,
    $$values ('wire 1', 'PREPAID', 25::numeric, 'infinity'::date)$$, 'a prepaid credit, named by it'
);
select is((test.balance_of('user', 'cash'), test.balance_of('user', 'prepaid')), (25.0000000000, -25.0000000000), 'in the ledger');
select is(admin.top_up('other', 5, 'wire 1', '2099-01-01'), 'topped up', 'customers have references of their own');
select throws_ok($$select admin.top_up('user', 26, 'wire 1')$$, 'VG409', '''wire 1'' is the reference of another payment, of 25 USD', 'not of another amount');
select throws_ok($$select admin.top_up('user', 1, ' ')$$, 'VG400', null, 'not without a reference');
select throws_ok($$select admin.top_up('nobody', 1, 'wire 2')$$, 'VG404', null, 'nor for nobody');
select * from finish();
rollback;
