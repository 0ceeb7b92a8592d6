begin;
select plan(8);
select test.make_customer('buyer');
insert into admin.subscription (customer, plan, valid_from, valid_to, trial_until) values ('buyer', 'analytics', '2026-01-01', '2026-03-01', '2026-01-15');
select is((select s.trial_until from admin.subscription as s), '2026-01-15'::date, 'the first day that costs');
select throws_ok($$update admin.subscription set trial_until = '2026-01-01'$$, 'VG400', null, 'after it begins');
select throws_ok($$update admin.subscription set trial_until = '2026-03-02'$$, 'VG400', null, 'until it ends');
select lives_ok($$update admin.subscription set trial_until = '2026-03-01'$$, 'at most');
update admin.subscription set valid_to = '2026-02-01';
select is((select s.trial_until from admin.subscription as s), '2026-02-01'::date, 'it ends with its subscription');
update admin.subscription set valid_to = '2026-04-01';
select is((select s.trial_until from admin.subscription as s), '2026-02-01'::date, 'and is not lengthened with it');
update admin.subscription set trial_until = null;
select is((select s.trial_until from admin.subscription as s), null, 'none');
select is((select array_agg(h.trial_until order by h.load_date) from admin.subscription_history as h),
    '{2026-01-15,2026-03-01,2026-02-01,2026-02-01,NULL}'::date[], 'every version is kept');
select * from finish();
rollback;
