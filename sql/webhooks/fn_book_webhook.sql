-- What becomes of an event after a try. Fenced by (msg_id, read_ct), as everything that is told of a message: a worker
-- that was slow books nothing over the one that came after it. last_read_at is NULL while an event waits for its next
-- try: that tells it from one that a worker holds.
create or replace function gateway.fn_book_webhook(
    p_msg_id bigint, p_read_ct integer, p_http_status integer, p_error_class text, p_latency_ms integer,
    p_retry_after_ms bigint default null
) returns text
language plpgsql
set search_path = ''
as $$
declare
    v_most_tries constant integer := 12;
    v_message jsonb;
    v_state text;
    v_class text;
    v_next timestamptz;
begin
    select q.message into v_message
    from pgmq.q_webhook as q
    where q.msg_id = p_msg_id and q.read_ct = p_read_ct
    for update;
    if v_message is null then
        return null;
    end if;
    v_class := gateway.fn_class_answer(p_http_status, p_error_class);
    v_state := case
        when v_class is null then 'DELIVERED'
        when v_class = any('{gone,no_endpoint}') or v_message ->> 'type' = 'webhook.test' or p_read_ct >= v_most_tries
            then 'FAILED'
        else 'RETRY'
    end;
    if v_state = 'RETRY' then
        v_next := gateway.fn_plan_try(p_read_ct, p_retry_after_ms);
        update pgmq.q_webhook as q set vt = v_next, last_read_at = null where q.msg_id = p_msg_id;
    else
        delete from pgmq.q_webhook as q where q.msg_id = p_msg_id;
    end if;
    insert into gateway.webhook_delivery_s (
        webhook_event_hk, customer_hk, try_number, hash_diff, delivery_state, http_status, error_class, latency_ms,
        next_try_at, record_source
    )
    values (
        decode(substr(v_message ->> 'event', 5), 'hex'), decode(v_message ->> 'customer', 'hex'), p_read_ct,
        util.hash_diff(v_state, p_http_status::text, v_class, p_latency_ms::text, v_next::text), v_state, p_http_status,
        v_class, p_latency_ms, v_next, 'gateway'
    );
    return v_state;
end
$$;

comment on function gateway.fn_book_webhook(bigint, integer, integer, text, integer, bigint) is
'Books one try to deliver an event: DELIVERED, RETRY or FAILED; NULL when the message is no longer the caller''s.';
