-- Mutants: a hedge at the same provider, one by a customer's own key, one whose delay nobody has measured or that was
-- measured for streams; a customer who pays for the call that was outrun, or twice; an outrun call that is free for the
-- house, or counts as a failure of its offer.
begin;
select plan(17);
select test.make_offer('maker', 'model-a', 1, 2);
select test.make_offer('maker', 'model-b', 2, 3);
select test.make_offer('rival', 'model-a', 5, 6);
select test.make_customer('caller', '{"markup_percent": 0}');
create function pg_temp.sent(p_request text) returns jsonb language sql as $$
    select q.message -> 'hedge' from pgmq.q_standard as q where q.message ->> 'request' = p_request;
$$;
create function pg_temp.hedge(p_request jsonb default '{}') returns jsonb language sql as $$
    select pg_temp.sent((test.route(sha256('caller/token'), p_request)).request_id);
$$;
create function pg_temp.offer(p_provider text, p_model text) returns text language sql as $$
    select encode(util.hash_key(p_provider, p_model), 'hex');
$$;
insert into ops.offer_wait values (util.hash_key('maker', 'model-a'), false, 800, now());
select is(pg_temp.hedge(), null, 'not without a rule');
insert into admin.routing_rule (rule_name, is_hedged) values ('patient', true);
select is(r.is_hedged, true, 'a rule says so') from ops.rule as r where r.rule_name = 'patient';
select is(
    pg_temp.hedge(), jsonb_build_object('after_ms', 800, 'offer', pg_temp.offer('rival', 'model-a')),
    'the next candidate of another provider, after what nearly all calls stay below'
);
select is(pg_temp.hedge('{"model": "model-a"}') ->> 'offer', pg_temp.offer('rival', 'model-a'), 'for a named model too');
select is(pg_temp.hedge('{"stream": true}'), null, 'not before it is known');
select is(pg_temp.hedge('{"model": "maker/model-a"}'), null, 'not where only one provider may answer');
update admin.routing_rule set is_hedged = false where rule_name = 'patient';
select is(pg_temp.hedge(), null, 'in force for the next call');
update admin.routing_rule set is_hedged = true where rule_name = 'patient';
select admin.sp_set_provider_key('rival', 'caller', null, sha256('own'), '\x02', 'k1', false);
insert into ops.offer_wait values (util.hash_key('rival', 'model-a'), false, 900, now());
select is(pg_temp.hedge('{"model": "model-a"}'), null, 'his own key is not used twice');
delete from ops.offer_wait as w where w.offer_hk = util.hash_key('rival', 'model-a');
delete from admin.provider_key where customer = 'caller';

create temporary table decided as select test.route(sha256('caller/token'), '{"max_output_tokens": 1000}') as d;
select gateway.sp_read_messages(100, 60);
create temporary table told as select gateway.sp_record_result(test.make_result(d, jsonb_build_array(
    test.one_attempt(d, null, '{"outcome": "CANCELLED", "class": "outrun", "output_bytes": 0, "latency_ms": 900, "first_byte_ms": null}'),
    test.one_attempt(d, '{"input_uncached": 10, "output": 5}', jsonb_build_object(
        'number', 2, 'offer', pg_temp.offer('rival', 'model-a'), 'latency_ms', 100
    ))
))) as receipt
from decided;
-- 10 x 5 + 5 x 6 are 80 millionths. A prompt of 100 bytes is taken for 25 tokens of 1 each.
select is(t.receipt #>> '{cost,customer}', '0.00008', 'the customer pays for the answer') from told as t;
select is(t.receipt #>> '{cost,provider}', '0.000105', 'the house for both') from told as t;
select is((t.receipt ->> 'provider', t.receipt ->> 'attempts'), ('rival'::text, '2'::text), 'told as it was') from told as t;
select is(
    array(
        select (a.attempt_number, a.outcome, a.error_class, a.input_uncached_tokens, a.usage_source, a.is_charged)::text
        from gateway.api_request_attempt_s as a order by a.attempt_number
    ),
    '{"(1,CANCELLED,outrun,25,estimated,f)","(2,SUCCESS,,10,provider_final,t)"}', 'both are booked'
);
select is(count(*), 0::bigint, 'whoever was outrun has not failed') from ops.offer_health as h;
select is(count(*), 0::bigint, 'the books agree') from ops.invariant_violation as v;
select ok(r.is_same, 'and the decision can be made again') from decided as t, admin.replay((t.d).request_id::uuid) as r;

-- He who was outrun may have counted bytes of an answer that nobody heard.
create temporary table second as select test.route(sha256('caller/token'), '{"max_output_tokens": 1000}') as d;
select gateway.sp_read_messages(100, 60);
select is(
    gateway.sp_record_result(test.make_result(d, jsonb_build_array(
        test.one_attempt(d, '{"input_uncached": 10, "output": 5}'),
        test.one_attempt(d, null, jsonb_build_object(
            'number', 2, 'offer', pg_temp.offer('rival', 'model-a'), 'outcome', 'CANCELLED', 'class', 'outrun', 'output_bytes', 40
        ))
    ))) #>> '{cost,customer}', '0.00002', 'the first one answered'
)
from second;
select throws_ok(
    $$ update gateway.api_request_attempt_s set is_charged = true where error_class = 'outrun' $$, '23514', null,
    'no row can say that a call was charged which another one outran'
);
select * from finish();
rollback;
