begin;
select plan(18);
-- His day is another than that of UTC, whenever this runs.
select case when extract(hour from now() at time zone 'UTC') < 10 then 'Pacific/Pago_Pago' else 'Pacific/Kiritimati' end as zone \gset
select test.make_tenant('far tenant', jsonb_build_object('time_zone', :'zone'));
select test.make_customer('Buyer', '{}', 'far tenant');
insert into admin.plan (plan, monthly_fee_usd) values ('silver', 30), ('gold', 60);
select (now() at time zone :'zone')::date as today \gset
select (date_trunc('month', :'today'::date) + interval '1 month')::date as next \gset
insert into admin.subscription (customer, plan, valid_from, trial_until) values ('Buyer', 'silver', '2020-01-01', '2119-01-01');
create function pg_temp.had() returns text language sql as $$
    select string_agg(concat_ws(' ', s.plan, s.valid_from, s.valid_to, s.trial_until), ', ' order by s.valid_from, s.plan) from admin.subscription as s
        where s.customer = 'Buyer'
$$;
select results_eq($$select c.plan, c.valid_from, c.valid_to from admin.change_plan('buyer', 'Silver', 'GOLD') as c$$,
    format($$values ('silver', '2020-01-01'::date, %1$L::date), ('gold', %1$L, 'infinity')$$, :'today'),
    'up: the new one begins where the old one ends, today');
select is(pg_temp.had(), format('silver 2020-01-01 %1$s %1$s, gold %1$s infinity', :'today'), 'a trial ends with its plan');
select is(
    (select sum(f.days) from gateway.fn_list_fees(util.hash_key('buyer'), :'today') as f),
    extract(day from :'next'::date - interval '1 day')::bigint,
    'each day of the month is charged once'
);
select throws_ok($$select admin.change_plan('buyer', 'silver', 'gold')$$, 'VG404',
    'The customer ''Buyer'' does not have the plan ''silver'' today', 'not twice');
select results_eq($$select c.plan, c.valid_from, c.valid_to from admin.change_plan('buyer', 'gold', 'analytics', 'now') as c$$,
    format($$values ('analytics', %L::date, 'infinity'::date)$$, :'today'), 'what has no day left is taken back');
select admin.change_plan('buyer', 'analytics', 'gold');
select results_eq($$select c.plan, c.valid_from, c.valid_to from admin.change_plan('buyer', 'gold', 'silver', 'period_end') as c where c.valid_from >= $$
    || quote_literal(:'today'),
    format($$values ('gold', %1$L::date, %2$L::date), ('silver', %2$L, 'infinity')$$, :'today', :'next'), 'down: on the first day of next month');
select throws_ok($$select admin.change_plan('buyer', 'gold', 'silver', 'PERIOD_END')$$, 'VG409', null, 'not twice');
select throws_ok($$select admin.change_plan('buyer', 'gold', null, 'PERIOD_END')$$, 'VG409',
    format('The plan ''gold'' of ''Buyer'' ends on %s already', :'next'),
    'nothing to cancel');
select lives_ok($$select admin.change_plan('buyer', 'gold', 'analytics', 'PERIOD_END')$$, 'something else may come then, too');
select is((select count(*) from admin.change_plan('buyer', 'gold', null)), 0::bigint, 'cancelled at once on its first day: nothing is left of it');
select throws_ok($$select admin.change_plan('buyer', 'gold', 'silver')$$, 'VG404', null, 'and it is not had any more');
insert into admin.subscription (customer, plan, valid_from, valid_to) values ('buyer', 'priority_support', '2020-01-01', :'today'::date + 1);
select is((select c.valid_to from admin.change_plan('buyer', 'priority_support', null) as c), :'today'::date, 'cancelled at once: not charged today');
update admin.subscription set valid_to = :'today'::date + 1 where plan = 'priority_support';
select throws_ok(format(
    $$update admin.subscription set valid_to = %L where plan = 'priority_support';
        select admin.change_plan('buyer', 'priority_support', 'gold', 'PERIOD_END')$$,
    least(:'today'::date + 1, :'next'::date - 1)), case when :'today'::date + 1 < :'next'::date then 'VG409' else 'VG404' end,
    null, 'there would be days without');
select throws_ok($$select admin.change_plan('buyer', 'priority_support', 'priority_SUPPORT')$$, 'VG400',
    'This changes the plan ''priority_support'' to itself', 'to itself');
select throws_ok($$select admin.change_plan('buyer', 'priority_support', 'platinum')$$, 'VG404', 'There is no active plan ''platinum''', 'to nothing that is');
select throws_ok($$select admin.change_plan('buyer', null, 'gold')$$, 'VG404', 'The customer ''Buyer'' does not have the plan '''' today', 'from nothing');
select throws_ok($$select admin.change_plan('buyer', 'priority_support', 'gold', 'SOON')$$, 'VG400', '''SOON'' is no time to change a plan', 'some time');
select throws_ok($$select admin.change_plan('nobody', 'priority_support', 'gold')$$, 'VG404', 'There is no customer ''nobody''', 'nobody');
select * from finish();
rollback;
