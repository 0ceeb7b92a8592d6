-- Mutants: a plan that was to follow another one is charged beside the one that took that one's place; what was planned
-- by itself is lost with it.
begin;
select plan(14);
select test.make_customer('buyer'), test.make_customer('leaver'), test.make_customer('other');
insert into admin.plan (plan, monthly_fee_usd) values ('silver', 30), ('gold', 60), ('platinum', 90);
select (now() at time zone 'UTC')::date as today \gset
select (date_trunc('month', :'today'::date) + interval '1 month')::date as next \gset
insert into admin.subscription (customer, plan, valid_from)
values ('buyer', 'gold', '2020-01-01'), ('leaver', 'gold', '2020-01-01'), ('other', 'gold', '2020-01-01'), ('buyer', 'analytics', :'next');
create function pg_temp.had(p_customer text) returns text language sql as $$
    select string_agg(concat_ws(' ', s.plan, s.valid_from, s.valid_to, s.follows), ', ' order by s.valid_from, s.plan) from admin.subscription as s
    where s.customer = p_customer
$$;
select admin.change_plan(c, 'gold', 'silver', 'PERIOD_END') from unnest('{buyer,leaver,other}'::text[]) as c;
select is(pg_temp.had('buyer'), format('gold 2020-01-01 %1$s, analytics %1$s infinity, silver %1$s infinity gold', :'next'), 'down next month');
select admin.change_plan('buyer', 'gold', 'platinum');
select is(pg_temp.had('buyer'), format('gold 2020-01-01 %1$s, platinum %1$s infinity, analytics %2$s infinity', :'today', :'next'),
    'up today instead: the one stays that was planned by itself');
select results_eq(
    format($$select f.plan::text, f.fee_usd from gateway.fn_list_fees(util.hash_key('buyer'), %L) as f order by f.plan$$, :'next'),
    $$values ('analytics', 50::numeric), ('platinum', 90)$$, 'and next month costs one of them'
);
select is(
    (select count(*) from admin.subscription_history as h where h.plan = 'silver'
        and h.customer = 'buyer' and h.load_end_date is not null and h.follows = 'gold'),
    1::bigint, 'what was taken back is kept'
);
select admin.change_plan('leaver', 'gold', null);
select is(pg_temp.had('leaver'), format('gold 2020-01-01 %s', :'today'), 'who leaves at once is charged for nothing more');
-- Now instead of next month.
select lives_ok($$select admin.change_plan('other', 'gold', 'silver')$$, 'the same plan at once');
select is(pg_temp.had('other'), format('gold 2020-01-01 %1$s, silver %1$s infinity', :'today'), 'is had once');
-- What has begun follows nobody any more; what is planned can be changed by hand.
select admin.change_plan('buyer', 'platinum', 'gold', 'PERIOD_END');
select lives_ok($$update admin.subscription set valid_to = valid_from + 31 where plan = 'gold' and follows = 'platinum'$$, 'its days are edited');
select throws_ok($$update admin.subscription set follows = 'gold' where plan = 'analytics'$$, 'VG400', null, 'what it follows is not');
select admin.change_plan('buyer', 'platinum', null);
select is(pg_temp.had('buyer'), format('gold 2020-01-01 %1$s, analytics %2$s infinity', :'today', :'next'), 'what was edited ends with its plan');
select lives_ok(format($$insert into admin.subscription (customer, plan, valid_from, follows) values ('buyer', 'platinum', %L, 'analytics')$$, :'next'),
    'planned by hand');
select throws_ok($$insert into admin.subscription (customer, plan, follows) values ('leaver', 'platinum', 'analytics')$$, 'VG404',
    'The customer ''leaver'' does not have the plan ''analytics''', 'after what he has');
select lives_ok($$delete from admin.customer where customer = 'other'$$, 'with a customer all ends');
select is(pg_temp.had('other'), format('gold 2020-01-01 %s', :'today'), 'as it was');
select * from finish();
rollback;
