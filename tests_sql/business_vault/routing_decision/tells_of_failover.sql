begin;
select plan(8);
select test.make_offer('cheap', 'model-a', 1, 2), test.make_offer('dear', 'model-a', 3, 6);
select test.make_customer('user');
create temporary table decision as select d.* from test.route(sha256('user/token'), '{"model": "model-a"}') as d;
select gateway.sp_read_messages(10, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "ERROR", "class": "overloaded", "output_bytes": 0}'),
    test.one_attempt(test.decision(to_jsonb(d)), '{"input_uncached": 10, "output": 5}', jsonb_build_object(
        'number', 2, 'offer', encode(util.hash_key('dear', 'model-a'), 'hex')
    ))
))) from decision as d;
create temporary view told as select r.* from business_vault.routing_decision as r where r.customer = 'user';
select is((t.provider_chosen, t.provider_used, t.was_rerouted), ('cheap'::text, 'dear'::text, true), 'who was chosen and who answered') from told as t;
select is((t.attempted_providers, t.attempt_outcomes), ('{cheap,dear}'::text[], '{overloaded,SUCCESS}'::text[]), 'the attempts in order')
from told as t;
select is((t.model_asked, t.model_used, t.response_status), ('model-a'::text, 'model-a'::text, 'SUCCESS'::text), 'what was asked and given') from told as t;
select is(t.request_id::text, d.request_id, 'by the id that the customer has') from told as t, decision as d;
-- Of who answered at once nothing else is read; of everybody else each attempt.
select test.settle(test.route(sha256('user/token'), '{"model": "model-a"}'));
select is(
    (t.provider_chosen, t.provider_used, t.was_rerouted, t.attempted_providers, t.attempt_outcomes),
    ('cheap'::text, 'cheap'::text, false, '{cheap}'::text[], '{SUCCESS}'::text[]), 'an answer at the first attempt'
) from told as t where t.attempt_count = 1;
select test.book_at('user', clock_timestamp(), '{"response_status": "ERROR", "error_class": "timeout", "customer_cost": 0,
    "provider_cost": 0, "gateway_markup": 0}', '{"outcome": "ERROR", "error_class": "connect", "provider_cost": 0, "is_charged": false}', 'dear');
select is((t.attempted_providers, t.attempt_outcomes), ('{dear}'::text[], '{connect}'::text[]), 'a failure by its attempt')
from told as t where t.response_status = 'ERROR';
select is_empty('select r.* from ops.unbalanced_request as r', 'so it was');
update gateway.api_request_h set provider_hk = util.hash_key('dear');
select is(r.finding, 'was answered at the first attempt by another than was chosen', 'else it would be told')
from ops.unbalanced_request as r;
select * from finish();
rollback;
