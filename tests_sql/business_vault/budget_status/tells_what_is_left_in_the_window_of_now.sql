begin;
select plan(8);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_tenant('far east', '{"time_zone": "Asia/Tokyo"}');
select test.make_customer('saver', '{"cost_budget_daily": 10, "cost_budget_monthly": 30, "markup_percent": 0}', 'far east');
select test.make_token('saver', 'small', '{"cost_budget_daily": 4}');
create temporary table held as select d.* from test.route(sha256('saver/small'), '{"max_output_tokens": 3}') as d;
select test.settle(test.route(sha256('saver/token'), '{"max_output_tokens": 2}'), '{"input_uncached": 0, "output": 2}');
create temporary view budget as
select b.* from business_vault.budget_status as b where b.customer = 'saver';
select is(
    (b.limit_usd, b.spent_usd, b.held_usd, b.remaining_usd, b.used_percent), (10::numeric, 2::numeric, 3::numeric, 5::numeric, 50.00),
    'the customer''s day'
) from budget as b where b.scope = 'customer' and b.period = 'daily';
select is(
    (b.limit_usd, b.spent_usd, b.held_usd, b.remaining_usd), (30::numeric, 2::numeric, 3::numeric, 25::numeric),
    'the customer''s month'
) from budget as b where b.scope = 'customer' and b.period = 'monthly';
select is(
    (b.token_name, b.limit_usd, b.spent_usd, b.held_usd, b.remaining_usd), ('small'::text, 4::numeric, 0::numeric, 3::numeric, 1::numeric),
    'the token''s day'
) from budget as b where b.scope = 'token' and b.period = 'daily';
select is((b.limit_usd, b.remaining_usd), (null::numeric, null::numeric), 'no budget, nothing to be left of it')
from budget as b where b.scope = 'token' and b.period = 'monthly';
select is(
    b.resets_at at time zone 'Asia/Tokyo', date_trunc('day', now() at time zone 'Asia/Tokyo') + interval '1 day',
    'a day ends at the tenant''s midnight'
) from budget as b where b.scope = 'customer' and b.period = 'daily';
-- The day passes, and the month.
update ops.scope_state set day_number = day_number - 1, month_number = month_number - 1 where customer_hk = util.hash_key('saver');
select is((b.spent_usd, b.held_usd, b.remaining_usd), (0::numeric, 0::numeric, 10::numeric), 'a window that is over holds nothing')
from budget as b where b.scope = 'customer' and b.period = 'daily';
select is((b.spent_usd, b.held_usd, b.remaining_usd), (0::numeric, 0::numeric, 30::numeric), 'nor does a month')
from budget as b where b.scope = 'customer' and b.period = 'monthly';
select util.fn_load_satellite(
    'gateway.customer_config_s', jsonb_build_object('customer_hk', util.hash_key('saver')), '{"cost_budget_daily": 1}', 'test'
);
update ops.scope_state set day_number = day_number + 1 where customer_hk = util.hash_key('saver');
select is((b.limit_usd, b.remaining_usd), (1::numeric, 0::numeric), 'a budget lowered below what is spent has nothing left')
from budget as b where b.scope = 'customer' and b.period = 'daily';
select * from finish();
rollback;
