-- What kills whoever reads it must not be able to stop the queue: nothing in the message is trusted to be well-formed.
create or replace function gateway.fn_bury_message(
    p_queue text, p_msg_id bigint, p_read_ct integer, p_enqueued_at timestamptz, p_message jsonb
) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_request uuid := case
        when pg_input_is_valid(p_message ->> 'request', 'uuid') then (p_message ->> 'request')::uuid
    end;
    v_customer_hk bytea := case
        when (p_message ->> 'customer') ~ '^([0-9a-f]{2})+$' then decode(p_message ->> 'customer', 'hex')
    end;
begin
    insert into ops.dead_message (queue_name, msg_id, read_ct, api_request_bk, customer_hk, enqueued_at, error_class)
    values (p_queue, p_msg_id, p_read_ct, v_request::text, v_customer_hk, p_enqueued_at, 'too_many_readings')
    on conflict (queue_name, msg_id) do nothing;
    if v_request is not null and v_customer_hk is not null then
        -- There may be more to bury in this transaction, of customers that share limits.
        perform gateway.fn_lock_limits(null);
        perform gateway.fn_close_request(uuid_send(v_request), v_customer_hk);
    end if;
    perform pgmq.delete(p_queue, p_msg_id);
end
$$;

comment on function gateway.fn_bury_message(text, bigint, integer, timestamptz, jsonb) is
'Moves a poison message to ops.dead_message (ids only) and closes its request.';
