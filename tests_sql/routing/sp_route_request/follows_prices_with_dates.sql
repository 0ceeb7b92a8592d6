begin;
select plan(3);
select test.make_offer('maker', 'dated', 1, 1);
select test.make_price(util.hash_key('maker', 'dated'), 'input', 100, now() + interval '1 hour');
select test.make_price(util.hash_key('maker', 'dated'), 'input', 3, now() - interval '1 hour');
select test.make_customer('payer');
select is(
    ((gateway.fn_decide(
        jsonb_populate_record(null::ops.principal, '{"markup_percent": 0, "time_zone": "UTC", "compliance_levels": []}'),
        jsonb_populate_record(null::gateway.request_features, '{"model": "dated"}'), 10, clock_timestamp(), 0
    )).prices #>> '{0,input}')::numeric, 3::numeric, 'the price in force now'
);
select is(
    ((gateway.fn_decide(
        jsonb_populate_record(null::ops.principal, '{"markup_percent": 0, "time_zone": "UTC", "compliance_levels": []}'),
        jsonb_populate_record(null::gateway.request_features, '{"model": "dated"}'), 10, clock_timestamp() + interval '2 hours', 0
    )).prices #>> '{0,input}')::numeric, 100::numeric, 'a price with a future date takes effect by itself'
);
select is(
    (select r.candidates -> 0 ->> 'input' from ops.reservation as r, test.route(sha256('payer/token'), '{"model": "dated"}') as d
        where r.api_request_hk = uuid_send(d.request_id::uuid))::numeric, null,
    'the statement that routes does not see its own reservation'
);
select * from finish();
rollback;
