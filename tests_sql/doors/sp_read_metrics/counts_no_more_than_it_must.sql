begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('user', '{"priority_tier": "BASIC"}');
select test.route(sha256('user/token')), test.route(sha256('user/token'));
update pgmq.q_basic set enqueued_at = clock_timestamp() - interval '90 seconds'
where msg_id = (select min(q.msg_id) from pgmq.q_basic as q);
create temporary table told as select gateway.sp_read_metrics() as metrics;
select is(
    jsonb_path_query_array(t.metrics, '$.queues[*].queue'), '["premium", "standard", "basic"]', 'every queue, also an empty one'
) from told as t;
select is((t.metrics #> '{queues,2,depth}', t.metrics #> '{queues,0,depth}'), ('2'::jsonb, '0'::jsonb), 'how many wait') from told as t;
select cmp_ok((t.metrics #>> '{queues,2,oldest_seconds}')::numeric, '>=', 90::numeric, 'for how long') from told as t;
select is(t.metrics -> 'reservations', '2', 'what is held') from told as t;
select gateway.sp_read_messages(1, 60);
select is(
    (gateway.sp_read_metrics() #> '{queues,2,depth}', gateway.sp_read_metrics() #> '{queues,2,in_flight}'), ('1'::jsonb, '1'::jsonb),
    'what a worker has does not wait'
);
insert into pgmq.q_standard (vt, message) select now(), '{}' from generate_series(1, 12000);
select is(gateway.sp_read_metrics() #> '{queues,1,depth}', '10001', 'and it stops counting at 10,001');
select * from finish();
rollback;
