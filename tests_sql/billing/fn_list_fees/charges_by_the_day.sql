begin;
select plan(11);
select test.make_customer('buyer');
insert into admin.plan (plan, plan_name, monthly_fee_usd, included_usage_usd) values ('gold', 'Gold', 100, 40), ('silver', 'Silver', 31, 0);
create temporary view fee as
select m.month::date as month, f.plan, f.plan_name, f.first_day, f.last_day, f.days, f.fee_usd, f.included_usd
from generate_series('2025-12-01'::timestamp, '2026-12-01', '1 month') as m (month)
cross join lateral gateway.fn_list_fees(util.hash_key('buyer'), m.month::date + 14) as f;

select is_empty('select from fee', 'no plan, no fee');
insert into admin.subscription (customer, plan, valid_from, valid_to) values ('buyer', 'gold', '2026-01-22', '2026-04-08');
select results_eq(
    $$select f.plan, f.plan_name, f.first_day, f.last_day, f.days, f.fee_usd, f.included_usd from fee as f order by f.first_day$$,
    $$values ('gold', 'Gold', '2026-01-22'::date, '2026-01-31'::date, 10::smallint, 32.2580645161, 12.9032258065),
        ('gold', 'Gold', '2026-02-01', '2026-02-28', 28::smallint, 100, 40), ('gold', 'Gold', '2026-03-01', '2026-03-31', 31::smallint, 100, 40),
        ('gold', 'Gold', '2026-04-01', '2026-04-07', 7::smallint, 23.3333333333, 9.3333333333)$$,
    'the first day and not the last, of as many days as the month has'
);
update admin.subscription set trial_until = '2026-02-08';
select results_eq(
    $$select f.first_day, f.last_day, f.days, f.fee_usd, f.included_usd from fee as f where f.month < '2026-03-01' order by f.first_day$$,
    $$values ('2026-01-22'::date, '2026-01-31'::date, 10::smallint, 0::numeric, 12.9032258065),
        ('2026-02-01', '2026-02-07', 7::smallint, 0, 10), ('2026-02-08', '2026-02-28', 21::smallint, 75, 30)$$,
    'days of a trial cost nothing and include as much'
);
update admin.subscription set trial_until = valid_to;
select is((select sum(f.fee_usd) from fee as f), 0::numeric, 'a trial may be all of it');
delete from admin.subscription;

-- Parted into eleven spans of odd lengths, a month is its fee all the same.
insert into admin.subscription (customer, plan, valid_from, valid_to)
select 'buyer', 'gold', '2026-03-01'::date + d.day, '2026-03-01'::date + least(d.day + 3, 31) from generate_series(0, 30, 3) as d (day);
select is((select count(*) from fee), 11::bigint, 'a row for each');
select is((select sum(f.fee_usd) from fee as f), 100::numeric, 'that come to the fee');
select is((select sum(f.included_usd) from fee as f), 40::numeric, 'and to what it includes');
select is_empty(
    $$select from fee as f where abs(f.fee_usd - 100 * f.days / 31.0) >= 1e-10 or f.fee_usd <> round(f.fee_usd, 10)$$,
    'no row is further off than the last decimal'
);
select is((select array_agg(f.fee_usd order by f.first_day) from fee as f where f.days = 3),
    array_fill(9.6774193549, '{4}') || array_fill(9.6774193548, '{6}'), 'what is left of rounding goes to the largest remainders');
delete from admin.subscription;

-- From plan to plan: no day is charged twice, none is left out.
insert into admin.subscription (customer, plan, valid_from, valid_to)
values ('buyer', 'silver', '2026-05-01', '2026-05-11'), ('buyer', 'gold', '2026-05-11', '2026-06-01');
select results_eq(
    $$select f.plan, f.first_day, f.last_day, f.fee_usd from fee as f order by f.first_day$$,
    $$values ('silver', '2026-05-01'::date, '2026-05-10'::date, 10::numeric), ('gold', '2026-05-11', '2026-05-31', 67.7419354839)$$,
    'days of one plan and then of the other'
);
select is((select count(*) from gateway.fn_list_fees(util.hash_key('nobody'), '2026-05-01')), 0::bigint, 'nobody pays nothing');
select * from finish();
rollback;
