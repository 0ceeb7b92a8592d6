begin;
select plan(13);
select test.make_tenant('far tenant', '{"time_zone": "Pacific/Kiritimati"}');
select test.make_customer('subscriber', '{}', 'far tenant');
insert into admin.plan (plan, monthly_fee_usd) values ('support', 500);
insert into admin.subscription (customer, plan) values ('Subscriber', 'analytics');
select results_eq(
    $$select s.customer, s.plan, s.valid_from, s.valid_to from admin.subscription as s$$,
    $$values ('subscriber', 'analytics', (now() at time zone 'Pacific/Kiritimati')::date, 'infinity'::date)$$,
    'from the tenant''s today on'
);
select throws_ok($$insert into admin.subscription (customer, plan) values ('subscriber', 'analytics')$$, 'VG409', null, 'not twice');
select throws_ok($$insert into admin.subscription (customer, plan, valid_from) values ('subscriber', 'analytics', '2020-01-01')$$,
    'VG409', null, 'days that he has already');
insert into admin.subscription (customer, plan, valid_from, valid_to)
values ('subscriber', 'analytics', '2020-01-01', '2020-02-01'), ('subscriber', 'support', '2020-01-01', '2020-02-01');
select is((select count(*) from admin.subscription), 3::bigint, 'other days, other plans');
select throws_ok($$update admin.subscription set valid_to = '2119-01-01' where valid_from = '2020-01-01' and plan = 'analytics'$$,
    'VG409', null, 'nor by being made longer');
update admin.subscription set valid_to = '2020-03-01' where valid_from = '2020-01-01' and plan = 'analytics';
select is(
    (select array_agg(h.valid_to order by h.load_date) from admin.subscription_history as h
        where h.valid_from = '2020-01-01' and h.plan = 'analytics'),
    '{2020-02-01,2020-03-01}'::date[], 'every version is kept'
);
select throws_ok($$insert into admin.subscription (customer, plan) values ('subscriber', 'gold')$$, 'VG404',
    'There is no active plan ''gold''', 'an unknown plan');
select throws_ok($$insert into admin.subscription (customer, plan) values ('nobody', 'support')$$, 'VG404',
    'There is no customer ''nobody''', 'an unknown customer');
select throws_ok($$insert into admin.subscription (customer, plan, valid_from) values ('subscriber', 'support', 'infinity')$$, 'VG400',
    'A subscription needs a first day', 'a day to bill from');
select throws_ok($$delete from admin.plan where plan = 'analytics'$$, 'VG409', 'The plan ''analytics'' has 1 subscriptions', 'a plan that is had');
delete from admin.subscription where plan = 'analytics';
-- A customer's name may hold what parts a name.
select test.make_customer('north/south', '{}', 'far tenant');
insert into admin.subscription (customer, plan, valid_from, valid_to) values ('north/south', 'support', '2020-01-01', '2020-02-01');
update admin.subscription set valid_to = '2020-01-02' where customer = 'north/south';
select admin.restore('subscription', 'North/South/support', (select min(h.load_date) from admin.subscription_history as h where h.customer = 'north/south'));
select is((select s.valid_to from admin.subscription as s where s.customer = 'north/south'), '2020-02-01'::date, 'what was changed is brought back');
delete from admin.subscription where customer = 'north/south' and valid_from = '2020-01-01';
insert into admin.subscription (customer, plan, valid_from) values ('north/south', 'support', '2020-01-15');
select throws_ok(
    $$select admin.restore('subscription', 'North/South/support',
        (select min(h.load_date) from admin.subscription_history as h where h.customer = 'north/south'))$$,
    'VG409', null, 'unless other days lie there now'
);
select lives_ok($$delete from admin.plan where plan = 'analytics'$$, 'goes with the last of them');
select * from finish();
rollback;
