begin;
select plan(5);
select test.make_customer('user'), test.make_customer('neighbour');
insert into admin.plan (plan, plan_name, monthly_fee_usd, included_usage_usd, entitlements) values ('gold', 'Gold', 310, 31, '{shine,analytics}');
insert into admin.subscription (customer, plan, valid_from, valid_to, trial_until)
values ('user', 'gold', '2026-01-05', '2026-02-01', '2026-01-11'), ('neighbour', 'priority_support', '2020-01-01', 'infinity', null);
create function pg_temp.bill(p_period text default null) returns jsonb language sql as $$
    select gateway.sp_get_billing(sha256('user/token'), p_period) -> 'body';
$$;
select is(
    pg_temp.bill('2026-01') -> 'plans',
    '[{"plan": "gold", "plan_name": "Gold", "first_day": "2026-01-05", "last_day": "2026-01-10", "days": 6, "fee_usd": 0, "included_usage_usd": 6},
    {"plan": "gold", "plan_name": "Gold", "first_day": "2026-01-11", "last_day": "2026-01-31", "days": 21, "fee_usd": 210, "included_usage_usd": 21}]',
    'days of plans and what they cost'
);
select is(pg_temp.bill('2026-01') ? 'entitlements', false, 'entitlements are of today');
select is(pg_temp.bill('2026-02') -> 'plans', '[]', 'no plan, no days');
select is(pg_temp.bill() -> 'entitlements', '[]', 'nothing');
insert into admin.subscription (customer, plan) values ('user', 'gold');
select is(pg_temp.bill() -> 'entitlements', '["analytics", "shine"]', 'what he has today');
select * from finish();
rollback;
