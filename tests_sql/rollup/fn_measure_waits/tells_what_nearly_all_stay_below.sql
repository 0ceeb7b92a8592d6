-- Mutants: a mean instead of a percentile, streams and plain calls taken together, losers of a race left out, a figure from
-- a handful of calls, work for nobody.
begin;
select plan(8);
select test.make_offer('maker', 'model-a', 1, 2);
select test.make_offer('rival', 'model-a', 3, 4);
select test.make_customer('caller');
create function pg_temp.call(p_ms integer, p_stream boolean default false, p_outrun boolean default false) returns void
language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(sha256('caller/token'), jsonb_build_object('stream', p_stream));
    v_slow jsonb := jsonb_build_object('latency_ms', p_ms, 'first_byte_ms', case when p_stream then p_ms end);
    v_attempts jsonb := jsonb_build_array(test.one_attempt(v_decision, '{"input_uncached": 1, "output": 1}', v_slow));
begin
    if p_outrun then
        v_attempts := jsonb_build_array(
            test.one_attempt(v_decision, null, v_slow || '{"outcome": "CANCELLED", "class": "outrun", "output_bytes": 0}'),
            test.one_attempt(v_decision, '{"input_uncached": 1, "output": 1}', jsonb_build_object('number', 2, 'offer', (
                select r.candidates -> 1 -> 'offer' from ops.reservation as r
                where r.api_request_hk = uuid_send(v_decision.request_id::uuid)
            )))
        );
    end if;
    perform gateway.sp_read_messages(10, 60);
    perform gateway.sp_record_result(test.make_result(v_decision, v_attempts));
end
$$;
select pg_temp.call(n) from generate_series(1, 100) as n;
select pg_temp.call(1000 + n, p_stream => true) from generate_series(1, 20) as n;
select is(ops.fn_measure_waits(), 0, 'nothing while no rule asks for it');
insert into admin.routing_rule (rule_name, is_hedged) values ('patient', true);
select is(ops.fn_measure_waits(), 2, 'plain calls and streams of the offer');
select is(
    array(select (w.is_streamed, w.p95_ms)::text from ops.offer_wait as w order by w.is_streamed), '{"(f,96)","(t,1020)"}',
    'what 95 of 100 stay below'
);
select pg_temp.call(5000, p_outrun => true) from generate_series(1, 10) as n;
select is(ops.fn_measure_waits(), 2, 'ten calls to another offer are too few');
select is(w.p95_ms, 5000, 'who was outrun was at least so slow') from ops.offer_wait as w where not w.is_streamed;
select is(ops.fn_measure_waits(clock_timestamp() + interval '20 minutes'), 0, 'what is old is not looked at');
select is(count(*), 2::bigint, 'a figure holds for a while') from ops.offer_wait as w;
select ops.fn_measure_waits(clock_timestamp() + interval '62 minutes');
select is(count(*), 0::bigint, 'and is forgotten') from ops.offer_wait as w;
select * from finish();
rollback;
