begin;
select plan(15);
select test.make_offer('maker', 'model-a', 2.5, 10);
select test.make_price(util.hash_key('maker', 'model-a'), 'cache_read', 0.25);
select test.make_customer('buyer', '{"cost_budget_daily": 1, "markup_percent": 20}');
create temporary table decision as
select d.* from test.route(sha256('buyer/token'), '{"max_output_tokens": 500}') as d;
create temporary table receipt as
select test.settle(
    test.decision(to_jsonb(d)), '{"input_uncached": 19, "cache_read": 1000, "cache_write": null, "output": 300, "reasoning": 100}'
) as r from decision as d;
-- 19 × 2.5 + 1000 × 0.25 + 300 × 10 = 3297.5 per million
select is(r #>> '{cost,provider}', '0.0032975', 'the provider''s cost') from receipt;
select is(r #>> '{cost,markup}', '0.0006595', 'the markup') from receipt;
select is(r #>> '{cost,customer}', '0.003957', 'the customer''s cost') from receipt;
select is(s.customer_cost, 0.0039570000, 'in the satellite')
from gateway.api_request_s as s, decision as d where s.api_request_hk = uuid_send(d.request_id::uuid);
select is(
    (s.prompt_tokens, s.completion_tokens, s.total_tokens), (1019::bigint, 300::bigint, 1319::bigint),
    'totals of the disjoint buckets; reasoning lies inside output'
) from gateway.api_request_s as s, decision as d where s.api_request_hk = uuid_send(d.request_id::uuid);
select is(
    (a.input_usd_per_million, a.cache_read_usd_per_million, a.is_charged), (2.5, 0.25, true), 'the attempt keeps the prices'
) from gateway.api_request_attempt_s as a, decision as d where a.api_request_hk = uuid_send(d.request_id::uuid);
select is((test.scope_of('buyer')).day_spent_usd, 0.0039570000, 'the budget moved by exactly the customer''s cost');
select is((test.scope_of('buyer')).day_held_usd, 0.0000000000, 'nothing is held any more');
select is(count(*)::integer, 0, 'no reservation left') from ops.reservation as r where r.customer_hk = util.hash_key('buyer');
select is(count(*)::integer, 0, 'no message left') from pgmq.q_standard as q, decision as d where q.msg_id = d.msg_id;
select is(
    gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), '[]')) #>> '{cost,customer}', '0.003957',
    'told again, it gives the same receipt'
) from decision as d;
select is((test.scope_of('buyer')).day_spent_usd, 0.0039570000, 'and charges nothing');
select is(
    (select f.day_spent from ops.scope_fact as f where f.scope_hk = util.hash_key('buyer')), 0.0039570000,
    'the vault alone gives the same sum'
);
select ok(
    not gateway.fn_close_request(uuid_send(d.request_id::uuid), util.hash_key('buyer')), 'what is booked cannot be voided'
) from decision as d;
select is((test.scope_of('buyer')).day_spent_usd, 0.0039570000, 'and stays charged');
select * from finish();
rollback;
