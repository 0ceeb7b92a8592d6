begin;
select plan(14);
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

-- Without a worker's word, or without any call at all, the row tells it too; and rows from before it did are read as ever.
create temporary table lost as select d.* from test.route(sha256('user/token'), '{"model": "model-a"}') as d;
select gateway.sp_read_messages(10, 0), gateway.sp_read_messages(10, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "ERROR", "class": "overloaded", "output_bytes": 0}')
), '{"read_ct": 2, "status": "ERROR", "class": "overloaded"}')) from lost as d;
create temporary table void as select d.* from test.route(sha256('user/token'), '{"model": "model-a"}') as d;
select gateway.sp_read_messages(10, 60);
select gateway.sp_record_result(test.make_result(
    test.decision(to_jsonb(d)), '[]', '{"status": "VOIDED", "class": "front_gone"}'
)) from void as d;
create temporary table refused as select d.* from test.route(sha256('user/token'), '{"model": "model-a"}') as d;
select gateway.sp_read_messages(10, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(d)), jsonb_build_array(
    test.one_attempt(test.decision(to_jsonb(d)), null, '{"outcome": "ERROR", "class": "bad_request", "output_bytes": 0}')
), '{"status": "ERROR", "class": "bad_request"}')) from refused as d;
select is(
    (t.provider_chosen, t.attempted_providers, t.attempt_outcomes),
    ('cheap'::text, '{cheap,cheap}'::text[], '{worker_lost,overloaded}'::text[]), 'a lost call stands before the next'
) from told as t, lost as d where t.request_id = d.request_id::uuid;
select is(
    (t.provider_chosen, t.provider_used, t.was_rerouted, t.attempted_providers, t.attempt_outcomes),
    ('cheap'::text, 'cheap'::text, false, '{}'::text[], '{}'::text[]), 'nobody was called'
) from told as t, void as d where t.request_id = d.request_id::uuid;
select is(count(s.provider_chosen), 4::bigint, 'those that did not end at their first attempt hold what was tried')
from gateway.api_request_s as s;
create temporary table before as select t.* from told as t;
update gateway.api_request_s set provider_chosen = null, attempted_providers = null, attempt_outcomes = null;
select set_eq('select t.* from told as t', 'select b.* from before as b', 'what they hold is what their attempts say');
update gateway.api_request_s set provider_chosen = 'cheap', attempted_providers = '{dear}', attempt_outcomes = '{timeout}'
where response_status = 'ERROR' and error_class = 'timeout';
select set_eq(
    'select r.finding from ops.unbalanced_request as r', array['says that another was chosen'], 'one that was not chosen is told'
);
update gateway.api_request_s set provider_chosen = 'dear' where response_status = 'ERROR' and error_class = 'timeout';
select set_eq(
    'select r.finding from ops.unbalanced_request as r', array['tells of other attempts than were made'], 'and so is what was not tried'
);
update gateway.api_request_s set provider_chosen = null, attempted_providers = null, attempt_outcomes = null;
update gateway.api_request_h set provider_hk = util.hash_key('dear');
select set_eq(
    'select r.finding from ops.unbalanced_request as r',
    array['was answered at the first attempt by another than was chosen'], 'else it would be told'
);
select * from finish();
rollback;
