-- Mutants: four bytes a token whatever was learned, words after the usage for nothing, an estimate that is not marked.
begin;
select plan(8);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('leaver', '{"markup_percent": 0}');
create temporary table decision as
select d.* from test.route(sha256('leaver/token'), '{"prompt_bytes": 400}') as d;
select gateway.sp_read_messages(100, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "CANCELLED", "class": "client_gone", "output_bytes": 81, "usage_source": null}')
), '{"status": "CANCELLED", "class": "client_gone"}')) from decision as d;
select is(
    (s.input_uncached_tokens, s.output_tokens), (100::bigint, 21::bigint), 'four bytes a token, rounded up'
) from gateway.api_request_s as s where s.customer_hk = util.hash_key('leaver');
select is(s.usage_source, 'estimated', 'and marked') from gateway.api_request_s as s where s.customer_hk = util.hash_key('leaver');
select is(s.customer_cost, 0.0001210000, 'and charged') from gateway.api_request_s as s where s.customer_hk = util.hash_key('leaver');
create temporary table unanswered as select d.* from test.route(sha256('leaver/token')) as d;
select gateway.sp_read_messages(100, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "TIMEOUT", "class": "timeout", "output_bytes": 0, "usage_source": null}')
), '{"status": "TIMEOUT", "class": "timeout"}')) from unanswered as d;
select is(s.customer_cost, 0.0000000000, 'no output, no charge') from gateway.api_request_s as s, unanswered as d
where s.api_request_hk = uuid_send(d.request_id::uuid);
select util.fn_load_satellite(
    'gateway.offer_usage_s', jsonb_build_object('offer_hk', util.hash_key('maker', 'model-a')), '{"bytes_per_token": 3.2}', 'measured'
);
create temporary table learned as select d.* from test.route(sha256('leaver/token'), '{"prompt_bytes": 400}') as d;
select gateway.sp_read_messages(100, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "CANCELLED", "class": "client_gone", "output_bytes": 81, "usage_source": null}')
), '{"status": "CANCELLED", "class": "client_gone"}')) from learned as d;
select is(s.output_tokens, 26::bigint, 'or as many bytes as the model''s tokens have') from gateway.api_request_s as s, learned as d
where s.api_request_hk = uuid_send(d.request_id::uuid);
select is(s.input_uncached_tokens, 125::bigint, 'and so the prompt''s') from gateway.api_request_s as s, learned as d
where s.api_request_hk = uuid_send(d.request_id::uuid);
create temporary table told (name text, attempt jsonb);
insert into told values ('half', '{"outcome": "CANCELLED", "class": "client_gone", "output_bytes": 181, "untold_bytes": 81,
    "usage_source": "provider_partial", "usage": {"input_uncached": 7, "output": 30}}');
select is(
    (p.input_uncached, p.output, p.usage_source), (7::bigint, 51::bigint, 'estimated'::text), 'what was said after the usage comes to it'
) from told as t, gateway.fn_price_attempt(t.attempt, '{"input": 1, "output": 1}', 100) as p;
select is((p.input_uncached, p.output, p.usage_source), (7::bigint, 56::bigint, 'estimated'::text), 'by the model''s tokens')
from told as t, gateway.fn_price_attempt(t.attempt, '{"input": 1, "output": 1, "bytes_per_token": 3.2}', 100) as p;
select * from finish();
rollback;
