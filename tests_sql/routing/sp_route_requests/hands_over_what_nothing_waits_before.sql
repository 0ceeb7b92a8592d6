begin;
select plan(20);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('customer ' || n) from generate_series(1, 4) as n;
create function pg_temp.calls(variadic p_customers integer[]) returns jsonb language sql as $$
    select jsonb_agg(jsonb_build_object(
        'digest', encode(sha256(convert_to(format('customer %s/token', c.n), 'UTF8')), 'hex'), 'ticket', 'ab',
        'capability', 'chat', 'prompt_bytes', 10, 'messages', 1, 'max_output_tokens', 1
    ) order by c.place) from unnest(p_customers) with ordinality as c (n, place);
$$;
create temporary table answers as
select r.* from gateway.sp_route_requests(pg_temp.calls(1, 2, 3), 'unix:/test', false, 2) as r;
select is(array_agg(a.work is not null order by a.ordinal), '{t,t,f}', 'as many as were asked for') from answers as a;
select is(a.work::jsonb, q.message, 'what is handed over is the message of the queue')
from answers as a inner join pgmq.q_standard as q on a.msg_id = q.msg_id where a.ordinal <= 2 order by a.ordinal;
select is(a.queue, 'standard', 'whose queue is told') from answers as a where a.ordinal = 1;
select is(array_agg(q.read_ct order by q.msg_id), '{1,1,0}', 'it counts as read once')
from answers as a inner join pgmq.q_standard as q on a.msg_id = q.msg_id;
select ok(
    q.vt between clock_timestamp() + interval '3 seconds' and clock_timestamp() + interval '5 seconds',
    'and is hidden until a worker has had time to hold it'
) from answers as a inner join pgmq.q_standard as q on a.msg_id = q.msg_id where a.ordinal = 1;
select is(
    array_agg(row(r.request_state, r.dispatch_count)::text order by r.msg_id), '{"(dispatched,1)","(dispatched,1)","(reserved,0)"}',
    'a provider may have been called of two of them'
) from ops.reservation as r inner join answers as a on r.msg_id = a.msg_id;

-- The third waits: who comes now comes after it.
create temporary table later as
select r.* from gateway.sp_route_requests(pg_temp.calls(4), 'unix:/test', false, 64) as r;
select is(l.status, 'routed', 'a later call is decided') from later as l;
select is(l.work, null, 'and queued, since another waits') from later as l;
select is(count(*)::integer, 2, 'a worker reads the two that were not handed over')
from gateway.sp_read_messages(64, 60);

-- Nothing waits any more: what is hidden is being served.
create temporary table last as
select r.* from gateway.sp_route_requests(pg_temp.calls(4), 'unix:/test', false, 64) as r;
select isnt(l.work, null, 'who comes when all are being served is handed over') from last as l;

-- It is booked by its first receipt, and nobody was lost with it.
create temporary table booked as
select gateway.sp_record_result(test.make_result(d, jsonb_build_array(test.one_attempt(d, '{"input_uncached": 10, "output": 5}')))) as receipt
from last as l cross join lateral test.decision(to_jsonb(l) - 'ordinal' - 'work') as d;
select is(b.receipt ->> 'settled', 'true', 'it is booked by the receipt of the one reading') from booked as b;
select is(count(*)::integer, 1, 'with one attempt') from gateway.api_request_attempt_s as a
inner join last as l on a.api_request_hk = uuid_send(l.request_id::uuid);

-- A front that died before it could give it away: the hold lapses, the next reader books a call of unknown outcome.
update pgmq.q_standard as q set vt = clock_timestamp() from answers as a where q.msg_id = a.msg_id and a.ordinal = 1;
select is(array_agg(row(r.msg_id = a.msg_id, r.read_ct)::text), '{"(t,2)"}', 'what nobody was given is read later')
from gateway.sp_read_messages(64, 60) as r cross join answers as a where a.ordinal = 1;

-- One that no worker could be given to is as it was.
select is(gateway.sp_return_messages(jsonb_build_array(jsonb_build_object('queue', a.queue, 'msg_id', a.msg_id, 'read_ct', 1)), 0), 1,
    'the front gives back what it could give nobody') from answers as a where a.ordinal = 2;
select is(row(r.request_state, r.dispatch_count)::text, '(reserved,0)', 'nobody was called for it') from ops.reservation as r
inner join answers as a on r.msg_id = a.msg_id where a.ordinal = 2;

-- A refusal has nothing to hand over.
select is(row(r.status, r.work)::text, '(invalid_token,)', 'a refusal has no work') from gateway.sp_route_requests(jsonb_build_array(jsonb_build_object(
    'digest', repeat('00', 32), 'ticket', 'ab', 'capability', 'chat', 'prompt_bytes', 10, 'messages', 1
)), 'unix:/test', false, 64) as r;

-- One malformed call among them: each is decided by itself, and handed over all the same.
select is(count(*)::integer, 1, 'the one that was given back is read') from gateway.sp_read_messages(64, 60);
create temporary table mixed as
select r.* from gateway.sp_route_requests(jsonb_set(pg_temp.calls(1, 2, 3), '{1,max_cost}', '"a lot"'), 'unix:/test', false, 64) as r;
select is(array_agg(m.status order by m.ordinal), '{routed,invalid_request,routed}', 'one is malformed') from mixed as m;
select is(array_agg(m.work is not null order by m.ordinal), '{t,f,t}', 'the others are handed over') from mixed as m;
select * from finish();
rollback;
