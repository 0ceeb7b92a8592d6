begin;
select plan(11);
delete from admin.plan;
insert into admin.plan (plan, plan_name, monthly_fee_usd, entitlements)
values ('insights', 'Analytics & Insights', 50, '{ Analytics,analytics}'), ('support', null, 500, null);
select results_eq(
    $$select p.plan, p.plan_name, p.monthly_fee_usd, p.entitlements, p.is_active from admin.plan as p where p.plan in ('insights', 'support') order by 1$$,
    $$values ('insights', 'Analytics & Insights', 50::numeric, '{analytics}'::text[], true), ('support', 'support', 500, '{}', true)$$,
    'what is not given has a default'
);
update admin.plan set monthly_fee_usd = monthly_fee_usd + 1;
select is((select sum(p.monthly_fee_usd) from admin.plan as p), 552::numeric, 'many rows at once');
select is((select count(*) from admin.plan_history as h where h.plan in ('insights', 'support')), 4::bigint, 'every version is kept');
select throws_ok($$insert into admin.plan (plan, monthly_fee_usd) values ('insights', 1)$$, 'VG409', null, 'one that is there');
select throws_ok($$insert into admin.plan (plan) values ('free')$$, 'VG400', 'monthly_fee_usd cannot be NULL', 'no fee is not zero');
select throws_ok($$update admin.plan set monthly_fee_usd = -1$$, 'VG400', 'A monthly fee cannot be negative', 'negative');
update admin.plan set included_usage_usd = 20.5 where plan = 'insights';
select results_eq($$select p.plan, p.included_usage_usd from admin.plan as p order by 1$$,
    $$values ('insights', 20.5), ('support', 0::numeric)$$, 'usage that the fee pays for');
select throws_ok($$update admin.plan set included_usage_usd = -1$$, 'VG400', 'Included usage cannot be negative', 'which is not negative either');
select throws_ok($$update admin.plan set entitlements = '{a b}'$$, 'VG400', '''a b'' is no entitlement', 'no word');
select throws_ok($$update admin.plan set plan = 'other' where plan = 'support'$$, 'VG400', null, 'a plan keeps its name');
delete from admin.plan where plan = 'support';
select is((select array_agg(p.plan) from admin.plan as p), '{insights}'::text[], 'it goes when nobody has it');
select * from finish();
rollback;
