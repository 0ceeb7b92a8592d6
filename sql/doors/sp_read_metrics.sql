-- Asked every few seconds by a monitor, so bounded: no more than 10,001 rows of a queue are looked at, oldest first,
-- and "10001" says "more than 10,000". Three queues by name: pgmq's own metrics count whole tables.
create or replace function gateway.sp_read_metrics() returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_queues jsonb;
begin
    select jsonb_agg(jsonb_build_object(
        'queue', q.queue, 'depth', q.depth, 'in_flight', q.in_flight,
        'oldest_seconds', round(extract(epoch from greatest(v_now - q.oldest_at, interval '0')), 3)
    ) order by q.place) into v_queues
    from (
        select
            1 as place, 'premium' as queue, count(*) filter (where m.vt <= v_now) as depth,
            count(*) filter (where m.vt > v_now) as in_flight, min(m.enqueued_at) filter (where m.vt <= v_now) as oldest_at
        from (select p.vt, p.enqueued_at from pgmq.q_premium as p order by p.msg_id limit 10001) as m
        union all
        select
            2, 'standard', count(*) filter (where m.vt <= v_now), count(*) filter (where m.vt > v_now),
            min(m.enqueued_at) filter (where m.vt <= v_now)
        from (select s.vt, s.enqueued_at from pgmq.q_standard as s order by s.msg_id limit 10001) as m
        union all
        select
            3, 'basic', count(*) filter (where m.vt <= v_now), count(*) filter (where m.vt > v_now),
            min(m.enqueued_at) filter (where m.vt <= v_now)
        from (select b.vt, b.enqueued_at from pgmq.q_basic as b order by b.msg_id limit 10001) as m
    ) as q;

    return jsonb_build_object(
        'queues', v_queues,
        'reservations', (select count(*) from (select from ops.reservation as r limit 10001) as r),
        'dead_messages', (select count(*) from (select from ops.dead_message as d limit 10001) as d),
        'resting_offers', (select count(*) from ops.offer_health as h where h.rests_until > v_now),
        'webhooks_waiting', (select count(*) from (select from pgmq.q_webhook as w limit 10001) as w),
        'webhooks_failed', (
            select count(*)
            from (
                select from gateway.webhook_delivery_s as f
                where f.delivery_state = 'FAILED' and f.load_date > v_now - interval '1 day' limit 10001
            ) as f
        ),
        'usage_events_waiting', (select count(*) from (select from pgmq.q_usage_event as u limit 10001) as u),
        'usage_events_failed', (
            select count(*)
            from (
                select from gateway.usage_event_delivery_s as f
                where f.delivery_state = 'FAILED' and f.load_date > v_now - interval '1 day' limit 10001
            ) as f
        ),
        'failed_jobs', (select count(*) from ops.job as j where j.is_active and j.last_error is not null),
        'usage_rolled_up_seconds_ago', (
            select round(extract(epoch from v_now - w.rolled_up_to), 3) from ops.watermark as w
            where w.rollup_name = 'usage'
        )
    );
end
$$;

comment on function gateway.sp_read_metrics() is
'Figures for monitoring: waiting and read messages by queue, age of the oldest waiting, open reservations, state of
jobs.';
