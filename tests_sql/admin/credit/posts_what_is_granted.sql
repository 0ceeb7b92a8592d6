-- Mutants: a kind that is posted against the wrong account, one that is taken back though it is used, a name that is used twice.
begin;
select plan(30);
select test.make_offer('maker', 'model-a');
select test.make_tenant('south', '{"time_zone": "Pacific/Auckland"}');
select test.make_customer('User|one', '{}', 'south');
create function test.posted(p_like text) returns table (account text, usd numeric) language sql as $$
    select p.account::text, trim_scale(p.amount_usd)
    from gateway.ledger_entry_h as h
    inner join gateway.ledger_posting_s as p on h.ledger_entry_hk = p.ledger_entry_hk
    where h.ledger_entry_bk = p_like order by p.posting_number;
$$;
insert into admin.credit (customer, credit, credit_kind, amount_usd) values (' user|ONE ', ' Welcome ', 'promotion', 20.00);
select results_eq(
    $$select c.customer, c.credit, c.credit_kind, c.amount_usd, c.priority, c.valid_from, c.expires_on, c.description,
        c.used_usd, c.expired_usd, c.remaining_usd from admin.credit as c$$,
    $$select 'User|one', 'Welcome', 'PROMOTION', 20::numeric, 100::smallint, (now() at time zone 'Pacific/Auckland')::date, 'infinity'::date,
        'Promotion', 0::numeric, 0::numeric, 20::numeric$$, 'a promotion, from the tenant''s today, by names of the vault'
);
select results_eq($$select * from test.posted('credit:User|one|Welcome')$$, $$values ('promotion', 20::numeric), ('prepaid', -20)$$, 'given away');
insert into admin.credit (customer, credit_kind, amount_usd, priority, valid_from, description)
values ('user|one', 'PREPAID', 50, 5, '2026-01-01', 'Wire of January'), ('user|one', 'PREPAID', 1, 5, '2026-01-01', null);
select results_eq(
    $$select c.credit, c.description from admin.credit as c where c.credit_kind = 'PREPAID' order by c.credit$$,
    $$values ('prepaid 2026-01-01', 'Wire of January'), ('prepaid 2026-01-01 2', 'Prepaid credit')$$, 'names are made, each another one'
);
select results_eq(
    $$select * from test.posted('credit:User|one|prepaid 2026-01-01')$$, $$values ('cash', 50::numeric), ('prepaid', -50)$$, 'paid for'
);
select is(test.balance_of('User|one', 'prepaid'), -71.0000000000, 'the ledger has all of it');
select throws_ok(format(
    $$insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on)
        values ('user|one', %L, %L, %L, %L, %L)$$, t.name, t.kind, t.amount, t.from_day, t.to_day
), t.code, t.message, t.message)
from (
    values
    ('x', 'GIFT', 1::numeric, null, null, 'VG400', 'This kind of credit is not known'),
    ('x', 'PREPAID', 0, null, null, 'VG400', 'A credit is above 0'),
    ('x', 'PREPAID', -1, null, null, 'VG400', 'A credit is above 0'),
    ('x', 'PREPAID', null, null, null, 'VG400', 'amount_usd cannot be NULL'),
    ('x', 'PREPAID', 'NaN', null, null, 'VG400', 'amount_usd is not a number'),
    ('x', 'PREPAID', 'Infinity', null, null, 'VG400', 'A number is larger than its column holds'),
    ('x', 'PREPAID', 1, '-infinity', null, 'VG400', 'A credit needs a first day'),
    ('x', 'PREPAID', 1, '2026-02-01', '2026-02-01', 'VG400', 'This credit would end before it begins'),
    ('a|b', 'PREPAID', 1, null, null, 'VG400', '''a|b'' cannot be the name of a credit'),
    (' ', 'PREPAID', 1, null, null, 'VG400', 'A credit needs a name'),
    ('WELCOME', 'PREPAID', 1, null, null, 'VG409', 'There is or was a credit ''WELCOME'' of the customer ''User|one'' already')
) as t (name, kind, amount, from_day, to_day, code, message);
select throws_ok(
    $$insert into admin.credit (customer, credit_kind, amount_usd) values ('nobody', 'PREPAID', 1)$$, 'VG404', null, 'for a customer'
);
select throws_ok(
    $$insert into admin.credit (customer, credit_kind, amount_usd, used_usd) values ('user|one', 'PREPAID', 1, 1)$$, 'VG400',
    'used_usd cannot be set here', 'what is used is not edited'
);
-- Edited: what it is for stays.
update admin.credit set priority = 1, expires_on = '2099-01-01', description = 'Wire 1' where credit = 'prepaid 2026-01-01';
select is(
    (select (c.priority, c.expires_on, c.description, c.remaining_usd) from admin.credit as c where c.credit = 'prepaid 2026-01-01'),
    (1::smallint, '2099-01-01'::date, 'Wire 1'::text, 50::numeric), 'priority, expiry and description change'
);
select throws_ok(format($$update admin.credit set %s where credit = 'Welcome'$$, t.what), 'VG400', null, t.what)
from (values ('amount_usd = 21'), ('credit_kind = ''PREPAID'''), ('valid_from = ''2026-01-01'''), ('remaining_usd = 1')) as t (what);
-- Taken back.
delete from admin.credit where credit = 'Welcome';
select results_eq(
    $$select e.entry_kind::text, p.account::text, trim_scale(p.amount_usd)
        from gateway.ledger_entry_h as h
        inner join gateway.ledger_entry_s as e on h.ledger_entry_hk = e.ledger_entry_hk
        inner join gateway.ledger_posting_s as p on h.ledger_entry_hk = p.ledger_entry_hk
        where e.refers_to_hk = (select g.ledger_entry_hk from gateway.ledger_entry_h as g where g.ledger_entry_bk = 'credit:User|one|Welcome')
        order by p.posting_number$$,
    $$values ('CREDIT_REVERSAL', 'promotion', -20::numeric), ('CREDIT_REVERSAL', 'prepaid', 20)$$, 'by an entry that refers to the first one'
);
select is(test.balance_of('User|one', 'promotion'), 0.0000000000, 'nothing is given away');
select is((select h.ended_by from admin.credit_history as h where h.credit = 'Welcome' order by h.load_date desc limit 1), session_user::text, 'by somebody');
select throws_ok(
    $$insert into admin.credit (customer, credit, credit_kind, amount_usd) values ('user|one', 'welcome', 'PROMOTION', 1)$$, 'VG409', null,
    'its name is not given again'
);
select test.booked('User|one', '2026-01-15 10:00Z', 10);
select gateway.sp_close_month('2026-01-01');
select throws_ok(
    $$delete from admin.credit where credit = 'prepaid 2026-01-01'$$, 'VG409',
    'Of the credit ''prepaid 2026-01-01'' 40 USD are left of 50', 'one that is used stays'
);
select throws_ok(
    $$insert into admin.credit (customer, credit_kind, amount_usd, valid_from, expires_on) values ('user|one', 'PREPAID', 1, '2026-01-01', '2026-02-01')$$,
    'VG409', 'This credit could pay for days until 2026-01-31, and their month is closed', 'nor is one granted that could pay for nothing'
);
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
