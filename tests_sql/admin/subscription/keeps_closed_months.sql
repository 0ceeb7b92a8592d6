begin;
select plan(17);
select test.make_customer('buyer');
insert into admin.plan (plan, monthly_fee_usd) values ('gold', 100), ('silver', 50);
insert into admin.subscription (customer, plan, valid_from, trial_until) values ('buyer', 'gold', '2026-01-10', '2026-02-10');
create function pg_temp.close(p_month date) returns void language sql as $$
    insert into gateway.month_close_s (tenant_hk, billing_period, invoices, record_source) values (util.hash_key('test tenant'), p_month, 1, 'test');
$$;
select pg_temp.close('2026-02-01'), pg_temp.close('2026-04-01');
select throws_ok($$insert into admin.subscription (customer, plan, valid_from) values ('buyer', 'silver', '2026-02-28')$$, 'VG409',
    'This changes days of 2026-04, which is closed and invoiced', 'a day of an invoice is not added');
select throws_ok($$insert into admin.subscription (customer, plan, valid_from, valid_to) values ('buyer', 'silver', '2026-02-28', '2026-03-01')$$, 'VG409',
    'This changes days of 2026-02, which is closed and invoiced', 'not the last of a month');
select lives_ok($$insert into admin.subscription (customer, plan, valid_from, valid_to) values ('buyer', 'silver', '2026-03-01', '2026-04-01')$$,
    'an open month between');
select lives_ok($$insert into admin.subscription (customer, plan, valid_from) values ('buyer', 'silver', '2026-05-01')$$, 'and after');
select throws_ok($$update admin.subscription set valid_to = '2026-04-30' where plan = 'gold'$$, 'VG409', null, 'nor taken away');
select throws_ok($$update admin.subscription set valid_to = '2026-04-02' where plan = 'silver' and valid_from = '2026-03-01'$$,
    'VG409', null, 'nor lengthened');
select throws_ok($$update admin.subscription set trial_until = '2026-02-11' where plan = 'gold'$$, 'VG409', null, 'made free');
select throws_ok($$update admin.subscription set trial_until = null where plan = 'gold'$$, 'VG409', null, 'or charged');
select throws_ok($$delete from admin.subscription where plan = 'gold'$$, 'VG409', null, 'or taken back');
select lives_ok($$update admin.subscription set valid_to = '2026-05-01' where plan = 'gold'$$, 'it ends after it');
select throws_ok(
    $$select admin.restore('subscription', 'buyer/silver', (select min(h.load_date) from admin.subscription_history as h))$$,
    'VG404', null, 'nothing to restore');
select pg_temp.close('2026-05-01');
select throws_ok(
    $$select admin.restore('subscription', 'buyer/gold', (select min(h.load_date) from admin.subscription_history as h))$$,
    'VG409', 'This changes days of 2026-05, which is closed and invoiced', 'nor by being restored');
select test.make_tenant('other tenant');
select test.make_customer('other', '{}', 'other tenant');
select lives_ok($$insert into admin.subscription (customer, plan, valid_from) values ('other', 'silver', '2026-02-28')$$, 'other tenants'' months are open');
-- What a plan costs is changed from today on: today may be invoiced only by a close before its time.
select lives_ok($$update admin.plan set monthly_fee_usd = 60 where plan = 'silver'$$, 'a fee is changed for days to come');
select pg_temp.close(date_trunc('month', now() at time zone 'UTC')::date);
select throws_ok($$update admin.plan set monthly_fee_usd = 70 where plan = 'silver'$$, 'VG409', null, 'not for days that are invoiced');
select lives_ok($$update admin.plan set entitlements = '{word}' where plan = 'silver'$$, 'what costs nothing is changed');
select lives_ok($$update admin.plan set monthly_fee_usd = 70 where plan = 'gold'$$, 'and what nobody has any more');
select * from finish();
rollback;
