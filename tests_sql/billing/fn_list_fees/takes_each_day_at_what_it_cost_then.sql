begin;
select plan(6);
-- 14 hours before UTC: a day of his ends at 10:00 of the day before.
select test.make_tenant('far tenant', '{"time_zone": "Pacific/Kiritimati"}');
select test.make_customer('buyer', '{}', 'far tenant');
insert into admin.plan (plan, monthly_fee_usd) values ('gold', 30);
insert into admin.subscription (customer, plan, valid_from) values ('buyer', 'gold', '2020-01-01');
delete from gateway.plan_s where plan_hk = util.hash_key('gold');
create function pg_temp.priced(p_from text, p_to text, p_fee numeric, p_included numeric, p_name text default 'Gold', p_words text default '{}')
returns void
language sql as $$
    insert into gateway.plan_s (
        plan_hk, load_date, load_end_date, hash_diff, plan_name, monthly_fee_usd, included_usage_usd, entitlements, record_source
    ) values (
        util.hash_key('gold'), p_from::timestamptz, p_to::timestamptz, sha256(p_from::bytea), p_name, p_fee, p_included, p_words::text[], 'test'
    );
$$;
select pg_temp.priced('2020-06-10 09:59+00', '2020-06-20 10:00+00', 30, 9);
select pg_temp.priced('2020-06-20 10:00+00', '2020-06-21 12:00+00', 60, 9, 'Gold', '{word}');
select pg_temp.priced('2020-06-21 12:00+00', '2020-06-21 13:00+00', 999, 9);
select pg_temp.priced('2020-06-21 13:00+00', '2020-06-25 12:00+00', 60, 9);
select pg_temp.priced('2020-06-25 12:00+00', null, 60, 18);
select results_eq(
    $$select f.first_day, f.last_day, f.days, f.fee_usd, f.included_usd from gateway.fn_list_fees(util.hash_key('buyer'), '2020-06-01') as f$$,
    $$values ('2020-06-01'::date, '2020-06-20'::date, 20::smallint, 20::numeric, 6::numeric), ('2020-06-21', '2020-06-25', 5::smallint, 10, 1.5),
        ('2020-06-26', '2020-06-30', 5::smallint, 10, 3)$$,
    'what held at the end of each day, in his zone; words and what held for an hour make no row'
);
select results_eq(
    $$select f.first_day, f.days, f.fee_usd from gateway.fn_list_fees(util.hash_key('buyer'), '2020-05-01') as f$$,
    $$values ('2020-05-01'::date, 31::smallint, 30::numeric)$$, 'days before the plan was known cost what it cost first'
);
select results_eq(
    $$select f.first_day, f.days, f.fee_usd from gateway.fn_list_fees(util.hash_key('buyer'), '2020-07-01') as f$$,
    $$values ('2020-07-01'::date, 31::smallint, 60::numeric)$$, 'later days what it costs now'
);
-- Deleted, he has no plan any more, from his today on.
insert into admin.subscription (customer, plan, valid_from) values ('buyer', 'analytics', '2119-01-01'), ('buyer', 'priority_support', '2020-01-01');
update admin.subscription set trial_until = '2119-01-01' where plan = 'priority_support';
delete from admin.customer where customer = 'buyer';
select results_eq($$select s.plan, s.valid_from, s.valid_to, s.trial_until from admin.subscription as s order by s.plan$$, format(
    $$values ('gold', '2020-01-01'::date, %1$L::date, null::date), ('priority_support', '2020-01-01', %1$L::date, %1$L)$$,
    (now() at time zone 'Pacific/Kiritimati')::date
), 'what was subscribed ends, and what was to come is taken back');
select is_empty($$select from gateway.fn_list_fees(util.hash_key('buyer'), (now() + interval '40 days')::date)$$, 'fees stop');
select is((select sum(f.fee_usd) from gateway.fn_list_fees(util.hash_key('buyer'), '2020-07-01') as f), 60::numeric, 'and what he had is still to be billed');
select * from finish();
rollback;
