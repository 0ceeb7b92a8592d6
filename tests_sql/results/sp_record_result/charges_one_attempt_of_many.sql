begin;
select plan(6);
select test.make_offer('first', 'model-a', 1, 1);
select test.make_offer('second', 'model-a', 2, 2);
select test.make_customer('buyer', '{"markup_percent": 0}');
create temporary table decision as
select d.* from test.route(sha256('buyer/token'), '{"model": "model-a"}') as d;
select gateway.sp_read_messages(100, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "ERROR", "class": "server_error", "http_status": 500, "output_bytes": 0}'),
    test.one_attempt(test.decision(to_jsonb(d)), '{"input_uncached": 100, "output": 50}', jsonb_build_object(
        'number', 2, 'offer', encode(util.hash_key('second', 'model-a'), 'hex')
    ))
))) from decision as d;
select is(
    array_agg(a.outcome || ' ' || a.is_charged order by a.attempt_number), '{"ERROR false","SUCCESS true"}', 'both attempts are booked'
) from gateway.api_request_attempt_s as a where a.customer_hk = util.hash_key('buyer');
select is(s.customer_cost, 0.0003000000, 'the one that answered is charged') from gateway.api_request_s as s
where s.customer_hk = util.hash_key('buyer');
select is(s.provider_hk, util.hash_key('second'), 'and named') from gateway.api_request_s as s where s.customer_hk = util.hash_key('buyer');
select is(h.consecutive_failures, 1, 'the other''s health moved') from ops.offer_health as h where h.offer_hk = util.hash_key('first', 'model-a');
select is(count(*)::integer, 0, 'the healthy one costs no row') from ops.offer_health as h where h.offer_hk = util.hash_key('second', 'model-a');
update ops.offer_health set rests_until = now() + interval '1 hour' where offer_hk = util.hash_key('first', 'model-a');
select is((test.route(sha256('buyer/token'), '{"model": "model-a"}')).provider, 'second', 'an offer that rests comes last');
select * from finish();
rollback;
