begin;
select plan(5);
select test.make_offer('maker', 'model-a', 2.5, 10);
select test.make_customer('user', '{"markup_percent": 20}');
create temporary table decision as select d.* from test.route(sha256('user/token'), '{"model": "maker/model-a", "stream": true}') as d;
select test.settle(test.decision(to_jsonb(d)), '{"input_uncached": 100, "cache_read": 0, "output": 10, "reasoning": 4}') from decision as d;
create temporary view told as select r.* from business_vault.request_detail as r where r.customer = 'user';
select is((t.request_id::text, t.token_name), (d.request_id, 'token'::text), 'who called, by which id') from told as t, decision as d;
select is((t.model_asked, t.provider, t.model, t.is_streamed), ('maker/model-a'::text, 'maker'::text, 'model-a'::text, true), 'what was asked and given')
from told as t;
select is(
    (t.input_tokens, t.cache_read_tokens, t.cache_write_tokens, t.output_tokens, t.reasoning_tokens, t.total_tokens),
    (100::bigint, 0::bigint, null::bigint, 10::bigint, 4::bigint, 110::bigint), 'tokens; unknown is not zero'
) from told as t;
select is((t.provider_cost_usd, t.markup_usd, t.customer_cost_usd), (0.0003500000, 0.0000700000, 0.0004200000), 'money') from told as t;
select ok(
    test.plan_as('onevault_owner', $$select r.request_id from business_vault.request_detail as r where r.request_timestamp > now()$$)
    ~ 'request_timestamp > now\(\)', 'asked for by time, the time reaches the table'
);
select * from finish();
rollback;
