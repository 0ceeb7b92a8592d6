begin;
select plan(9);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
create temporary view versions as
select count(*) as made, count(*) filter (where s.load_end_date is null) as in_force,
    max(s.total_requests) filter (where s.load_end_date is null) as requests
from gateway.customer_spending_s as s;
select test.settle(test.route(sha256('user/token')));
select is(ops.fn_roll_up_spending(interval '15 minutes'), 1::bigint, 'a first version is made at once');
select is(ops.fn_roll_up_spending(), 0::bigint, 'nothing new, no version');
select test.settle(test.route(sha256('user/token')));
select is(ops.fn_roll_up_spending(interval '15 minutes'), 0::bigint, 'a young version is kept');
select is(v.requests, 1::bigint, 'as it is') from versions as v;
update gateway.customer_spending_s set load_date = load_date - interval '20 minutes';
update gateway.customer_spending_h set load_date = load_date - interval '20 minutes';
select is(ops.fn_roll_up_spending(interval '15 minutes'), 1::bigint, 'an old one gets its successor, and nothing was lost');
select is((v.made, v.in_force, v.requests), (2::bigint, 1::bigint, 2::bigint), 'the old one is closed') from versions as v;
select is(ops.fn_roll_up_spending(), 0::bigint, 'and that was all');
select is(
    current_setting('onevault.tenant', true), '', 'it leaves no tenant set'
);
select is(
    (select s.customer_cost_usd from business_vault.customer_spending as s),
    (select s.month_spent_usd from ops.scope_state as s where s.scope_kind = 'customer'), 'spending is what the budget says'
);
select * from finish();
rollback;
