-- What becomes of events after a try, many at once. Fenced by (msg_id, read_ct): a worker that was slow books nothing
-- over the one that came after it. What was given back without having been tried (held_back, target_down) or has to go
-- alone (batch_refused) is no try. A refusal is final: the same event is refused again, unless it was of a key that has
-- been replaced since. The rest is tried for 23 hours, within the day in which Stripe knows an id again; then it is
-- parked for somebody to look at.
create or replace function gateway.fn_book_usage_events(p_outcomes jsonb) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_most_tries constant integer := 12;
    v_longest constant interval := '23 hours';
    v_booked integer;
begin
    with held as materialized (
        select
            q.msg_id, q.message, o.http_status, o.latency_ms, o.retry_after_ms,
            coalesce((q.message ->> 'tries')::integer, 0) + 1 as try_number,
            coalesce((q.message ->> 'since')::integer, 0) as since,
            coalesce(to_timestamp((q.message ->> 'begun')::bigint), clock_timestamp()) as begun,
            case
                when o.error_class = any('{duplicate,held_back,batch_refused,target_down}') then o.error_class
                when o.http_status in (401, 403) then 'unauthorized'
                when o.http_status in (408, 409, 425) then 'busy'
                else gateway.fn_class_answer(o.http_status, o.error_class)
            end as class,
            o.http_status in (401, 403) and exists (
                select from gateway.usage_export_key_s as k
                where
                    k.usage_export_hk = decode(q.message ->> 'export', 'hex') and k.load_end_date is null
                    and k.load_date > q.last_read_at
            ) as has_another_key
        from jsonb_to_recordset(p_outcomes) as o (
            msg_id bigint, read_ct integer, http_status integer, error_class text, latency_ms integer,
            retry_after_ms bigint
        )
        inner join pgmq.q_usage_event as q on o.msg_id = q.msg_id and o.read_ct = q.read_ct
        order by q.msg_id
        for update
    ),

    planned as materialized (
        select
            h.*, case
                when h.class = any('{held_back,batch_refused}') or h.has_another_key then clock_timestamp()
                when h.class = 'target_down' then gateway.fn_plan_try(1, h.retry_after_ms)
                else gateway.fn_plan_try(h.try_number - h.since, h.retry_after_ms)
            end as next_try_at
        from held as h
    ),

    decided as materialized (
        select
            p.*, case
                when p.class is null or p.class = 'duplicate' then 'DELIVERED'
                when p.class = any('{held_back,batch_refused,target_down}') then 'BACK'
                when
                    p.class = any('{refused,unauthorized,gone,no_export,overdue}') and not coalesce(p.has_another_key, false)
                    or p.try_number - p.since >= v_most_tries or p.next_try_at > p.begun + v_longest then 'FAILED'
                else 'RETRY'
            end as state
        from planned as p
    ),

    ended as (
        delete from pgmq.q_usage_event as q
        using decided as d
        where q.msg_id = d.msg_id and d.state in ('DELIVERED', 'FAILED')
    ),

    waiting as (
        update pgmq.q_usage_event as q
        set
            vt = d.next_try_at, last_read_at = null,
            message = q.message || case
                when d.class = 'batch_refused'
                    then jsonb_build_object('lane', (q.message ->> 'export') || (q.message ->> 'request'))
                when d.state = 'RETRY' then jsonb_build_object(
                    'tries', d.try_number, 'begun', floor(extract(epoch from d.begun))::bigint
                )
                else '{}'
            end
        from decided as d
        where q.msg_id = d.msg_id and d.state in ('RETRY', 'BACK')
    )

    insert into gateway.usage_event_delivery_s (
        api_request_hk, usage_export_hk, customer_hk, try_number, hash_diff, delivery_state, http_status, error_class,
        latency_ms, next_try_at, record_source
    )
    select
        decode(d.message ->> 'request', 'hex'), decode(d.message ->> 'export', 'hex'),
        decode(d.message ->> 'customer', 'hex'), d.try_number,
        util.hash_diff(d.state, d.http_status::text, d.class, d.latency_ms::text, n.at::text), d.state, d.http_status,
        d.class, d.latency_ms, n.at, 'gateway'
    from decided as d
    cross join lateral (select case when d.state = 'RETRY' then d.next_try_at end as at) as n
    where d.state <> 'BACK';
    get diagnostics v_booked = row_count;
    return v_booked;
end
$$;

comment on function gateway.fn_book_usage_events(jsonb) is
'Books how tries to hand events over ended (msg_id, read_ct, http_status, error_class, latency_ms, retry_after_ms);
returns how many were tries of messages that were still the caller''s.';
