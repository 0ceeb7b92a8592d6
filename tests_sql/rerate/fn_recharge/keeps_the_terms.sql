begin;
select plan(8);
-- A million tokens of input, and a million of output where a price of it is given.
create function test.recharged(p_rules jsonb, p_new numeric, p_is_own_key boolean default false, p_rate jsonb default '{"input": 10}') returns numeric
language sql as $$
    select gateway.fn_recharge(p_new, p_is_own_key, 20, jsonb_build_object('rules', nullif(p_rules, 'null')) || '{"usd_per_million": {}}',
        jsonb_populate_record(null::gateway.priced_attempt, jsonb_build_object(
            'input_uncached', 1000000, 'output', case when p_rate ? 'output' then 1000000 else 0 end, 'provider_cost', p_new
        )), p_rate)
    where p_rules is not null
    union all
    select gateway.fn_recharge(p_new, p_is_own_key, 20, null, null, p_rate) where p_rules is null;
$$;
select is(test.recharged(null, 10), 12.0000000000, 'the plain markup');
select is(test.recharged(null, 10, true), 2.0000000000, 'by his own key the fee alone');
select is(test.recharged('[{"rule": "a", "markup_percent": 50}]', 10), 15.0000000000, 'a rule''s percentage');
select is(test.recharged('[{"rule": "a", "markup_percent": -50, "minimum_usd": 6}]', 10), 6.0000000000, 'no less than its minimum');
select is(
    test.recharged('[{"rule": "a", "meter": "input", "usd_per_million": 3}, {"rule": "b", "meter": "output", "usd_per_million": 5}]', 30, false,
        '{"input": 10, "output": 20}'), 8.0000000000, 'prices of the house''s own stay, whatever providers ask'
);
select is(
    test.recharged('[{"rule": "a", "meter": "input", "usd_per_million": 3}]', 30, false, '{"input": 10, "output": 20}'), 27.0000000000,
    'beside the plain markup for what no rule is about'
);
select is(
    gateway.fn_recharge(1, false, 20, '{"rules": [{"rule": "a", "markup_percent": 50, "passes_cache_savings": false}]}',
        jsonb_populate_record(null::gateway.priced_attempt, '{"cache_read": 1000000}'), '{"input": 10, "cache_read": 1}'), 15.0000000000,
    'cache savings that are kept are kept'
);
select is(
    gateway.fn_recharge(1, false, 20, '{"rules": [{"rule": "a", "markup_percent": 50}]}', jsonb_populate_record(null::gateway.priced_attempt,
        '{"other_usage": {"image/large": {"units": 3, "usd_per_million": 1}}}'), '{"image/large": 2000000}'), 9.0000000000, 'and further meters count'
);
select * from finish();
rollback;
