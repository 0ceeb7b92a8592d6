begin;
select plan(7);
create function test.recharged(p_terms jsonb, p_new numeric, p_is_own_key boolean default false) returns numeric language sql as $$
    select gateway.fn_recharge(jsonb_populate_record(null::gateway.api_request_s, jsonb_build_object(
        'markup_percent', 20, 'customer_cost', 7, 'house_loss', 1, 'charge_terms', p_terms
    )), 5, p_new, p_is_own_key);
$$;
select is(test.recharged(null, 10), 12.0000000000, 'the plain markup');
select is(test.recharged(null, 10, true), 2.0000000000, 'by his own key the fee alone');
select is(test.recharged('{"rules": [{"rule": "a", "markup_percent": 50}], "usd_per_million": {"input": 1}}', 10), 15.0000000000, 'a rule''s percentage');
select is(test.recharged('{"rules": [{"rule": "a", "markup_percent": -50, "minimum_usd": 6}], "usd_per_million": {"input": 1}}', 10), 6.0000000000,
    'no less than its minimum');
select is(
    test.recharged('{"rules": [{"rule": "a", "meter": "input", "usd_per_million": 3}, {"rule": "b", "meter": "image", "usd_per_million": 9}],
        "usd_per_million": {"input": 3, "image/large": 9}}', 10), 8::numeric, 'prices of the house''s own stay, whatever providers ask'
);
select is(
    test.recharged('{"rules": [{"rule": "a", "meter": "input", "usd_per_million": 3}], "usd_per_million": {"input": 3, "output": 9}}', 10), null,
    'a sum of both kinds does not tell'
);
select is(
    test.recharged('{"rules": [{"rule": "a", "markup_percent": 50, "passes_cache_savings": false}], "usd_per_million": {"input": 1}}', 10), null,
    'nor what kept cache savings come to'
);
select * from finish();
rollback;
