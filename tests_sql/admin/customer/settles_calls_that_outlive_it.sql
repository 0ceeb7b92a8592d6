begin;
select plan(3);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('leaver', '{"markup_percent": 0}');
create temporary table call as select d.* from test.route(sha256('leaver/token'), '{"max_output_tokens": 5}') as d;
delete from admin.customer where customer = 'leaver';
select ok(
    (test.settle(test.decision(to_jsonb(c)), '{"input_uncached": 0, "output": 3}') ->> 'settled')::boolean,
    'a call under way is booked'
) from call as c;
select is((select r.customer_cost from gateway.api_request_s as r where r.customer_hk = util.hash_key('leaver')),
    3::numeric(20, 10), 'and charged');
select is((select count(*) from ops.reservation as r where r.customer_hk = util.hash_key('leaver')), 0::bigint, 'nothing is held');
select * from finish();
rollback;
