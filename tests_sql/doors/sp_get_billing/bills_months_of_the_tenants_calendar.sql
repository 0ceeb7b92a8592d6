begin;
select plan(18);
select test.make_offer('maker', 'model-a'), test.make_offer('other', 'model-b');
select test.make_customer('user', '{"cost_budget_daily": 10, "cost_budget_monthly": 50}'), test.make_customer('neighbour');
select test.make_token('user', 'limited', '{"cost_budget_daily": 5}');
select test.book_at('user', timestamptz '2026-03-10 10:00+00'), test.book_at('user', timestamptz '2026-03-11 10:00+00'),
    test.book_at('user', timestamptz '2026-03-31 23:59+00', p_provider => 'other', p_model => 'model-b'),
    test.book_at('user', timestamptz '2026-04-01 00:00+00'), test.book_at('neighbour', timestamptz '2026-03-10 10:00+00');
select test.settle(test.route(sha256('user/token')));
create function test.bill(p_period text) returns jsonb language sql as $$
    select gateway.sp_get_billing(sha256('user/token'), p_period) -> 'body';
$$;
select is(
    test.bill('2026-03') - '{lines,invoice}'::text[],
    '{"object": "bill", "customer": "user", "period": "2026-03", "currency": "USD", "total_usd": 7.5, "status": "pending", "plans": []}',
    'a month that is over'
);
select is(
    test.bill('2026-03') -> 'lines',
    '[{"provider": "maker", "model": "model-a", "requests": 2, "input_tokens": 20, "cache_read_tokens": 0, "cache_write_tokens": 0,
    "output_tokens": 10, "total_tokens": 30, "cost_usd": 5},
    {"provider": "other", "model": "model-b", "requests": 1, "input_tokens": 10, "cache_read_tokens": 0, "cache_write_tokens": 0,
    "output_tokens": 5, "total_tokens": 15, "cost_usd": 2.5}]', 'a line per provider and model'
);
select is(
    (select (b.bill ->> 'status', b.bill ->> 'total', jsonb_array_length(b.bill -> 'lines')) from (select test.bill('2026-03') -> 'invoice' as bill) as b),
    ('draft'::text, '7.50'::text, 2), 'and what the invoice would say'
);
select test.roll_up();
select is(test.bill('2026-03') -> 'total_usd', '7.5', 'the same when it is rolled up');
select is(test.bill('2025-01') - '{customer,object,currency,invoice}'::text[],
    '{"period": "2025-01", "lines": [], "total_usd": 0, "status": "pending", "plans": []}',
    'a month without calls');
select is((test.bill(null) ->> 'status', test.bill(null) ->> 'period'), ('open'::text, to_char(now() at time zone 'UTC', 'YYYY-MM')),
    'this month is open');
select is(
    (test.bill(null) ->> 'total_usd')::numeric, (select trim_scale(s.month_spent_usd) from ops.scope_state as s
        where s.scope_hk = util.hash_key('user')), 'and says what the budget says'
);
select is(
    jsonb_path_query_array(test.bill(null), '$.budgets[*].limit_usd'), '[10, 50]', 'with the customer''s budgets'
);
select is(
    (test.bill(null) #> '{budgets,0}') - 'resets_at' - 'spent_usd' - 'remaining_usd',
    '{"scope": "customer", "period": "daily", "limit_usd": 10, "held_usd": 0}', 'each with its figures'
);
select is(
    jsonb_path_query_array(gateway.sp_get_billing(sha256('user/limited')), '$.body.budgets[*].scope'),
    '["customer", "customer", "token"]', 'and those of the token that asks'
);
select is(test.bill(null) -> 'credits', '[]', 'without credits there are none');
insert into admin.credit (customer, credit, credit_kind, amount_usd, priority, valid_from, expires_on) values
('user', 'wire', 'PREPAID', 4, 100, '2026-03-11', 'infinity'), ('user', 'gift', 'PROMOTION', 2.5, 1, '2026-03-01', '2099-01-01'),
('neighbour', 'his', 'PREPAID', 9, 100, '2026-03-01', 'infinity');
select is(
    test.bill(null) -> 'credits',
    '[{"credit": "gift", "kind": "promotion", "granted_usd": 2.5, "used_usd": 0, "remaining_usd": 2.5, "valid_from": "2026-03-01", "expires_on": "2099-01-01"},
    {"credit": "wire", "kind": "prepaid", "granted_usd": 4, "used_usd": 0, "remaining_usd": 4, "valid_from": "2026-03-11", "expires_on": null}]',
    'the credits that are left, in the order in which they are used'
);
delete from admin.credit;
select gateway.sp_close_month('2026-03-01');
select is(
    (select (b.bill ->> 'status', b.bill #>> '{invoice,status}', b.bill #>> '{invoice,due}') from (select test.bill('2026-03') as bill) as b),
    ('billed'::text, 'final'::text, '7.50'::text), 'once the month is closed it is the invoice'
);
select is(
    gateway.sp_get_billing(sha256('user/token'), p.period) - 'message' - 'detail',
    '{"status": "invalid_request", "http_status": 400, "param": "period"}', 'refused: ' || p.period
)
from (values ('2999-01'), ('2026-13'), ('march')) as p (period);
-- However much there is to tell, usage is read once.
set local track_functions = 'all';
create function test.readings() returns bigint language sql as $$
    select f.calls from pg_catalog.pg_stat_xact_user_functions as f where f.schemaname = 'gateway' and f.funcname = 'fn_list_usage';
$$;
select test.bill('2026-04');
select is(test.readings(), 1::bigint, 'for lines and draft');
select test.bill('2026-03');
select is(test.readings(), 2::bigint, 'and for lines beside an invoice');
select * from finish();
rollback;
