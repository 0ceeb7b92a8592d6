begin;
select plan(12);
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('eur', '2026-01-01', 0.9), ('EUR', '2026-02-01', 0.95);
insert into admin.exchange_rate (currency, units_per_usd) values ('JPY', 150);
select results_eq($$select e.currency, e.rate_date, e.units_per_usd from admin.exchange_rate as e order by 1, 2$$,
    $$values ('EUR', '2026-01-01'::date, 0.9), ('EUR', '2026-02-01', 0.95), ('JPY', (now() at time zone 'UTC')::date, 150)$$, 'a rate a day');
select throws_ok($$insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2026-01-01', 1)$$, 'VG409', null, 'once');
select throws_ok($$insert into admin.exchange_rate (currency, units_per_usd) values ('USD', 2)$$, 'VG400', null, 'a dollar is a dollar');
select throws_ok($$insert into admin.exchange_rate (currency, units_per_usd) values ('EURO', 2)$$, 'VG400',
    '''EURO'' is no currency', 'a code');
select throws_ok($$insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', 'infinity', 2)$$, 'VG400',
    'A rate is of a day', 'a day');
select throws_ok($$update admin.exchange_rate set units_per_usd = 0$$, 'VG400', 'A rate is above 0', 'positive');
select throws_ok($$update admin.exchange_rate set units_per_usd = 'NaN'$$, 'VG400', null, 'a number');
select throws_ok($$update admin.exchange_rate set rate_date = '2026-01-02' where currency = 'JPY'$$, 'VG400', null, 'of its day');
update admin.exchange_rate set units_per_usd = 0.91 where currency = 'EUR' and rate_date = '2026-01-01';
select is((select count(*) from admin.exchange_rate_history as h where h.currency = 'EUR'), 3::bigint, 'every version is kept');
select admin.restore('exchange_rate', 'eur', (select min(h.load_date) from admin.exchange_rate_history as h where h.currency = 'EUR'));
select is((select e.units_per_usd from admin.exchange_rate as e where e.rate_date = '2026-01-01'), 0.9, 'and comes back');
select test.make_customer('buyer');
insert into admin.billing_profile (customer, currency) values ('buyer', 'jpy');
select throws_ok($$delete from admin.exchange_rate where currency = 'JPY'$$, 'VG409',
    'Somebody is billed in JPY, and this is its only rate', 'the last one stays while it is used');
delete from admin.exchange_rate where currency = 'EUR' and rate_date = '2026-01-01';
select is((select array_agg(e.rate_date) from admin.exchange_rate as e where e.currency = 'EUR'), '{2026-02-01}'::date[], 'others go');
select * from finish();
rollback;
