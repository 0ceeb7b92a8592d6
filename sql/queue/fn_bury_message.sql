create or replace function gateway.fn_bury_message(
    p_queue text, p_msg_id bigint, p_read_ct integer, p_enqueued_at timestamptz, p_message jsonb
) returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into ops.dead_message (queue_name, msg_id, read_ct, api_request_bk, customer_hk, enqueued_at)
    values (
        p_queue, p_msg_id, p_read_ct, p_message ->> 'request', decode(p_message ->> 'customer', 'hex'), p_enqueued_at
    )
    on conflict (queue_name, msg_id) do nothing;
    perform gateway.fn_void_request(uuid_send((p_message ->> 'request')::uuid), decode(p_message ->> 'customer', 'hex'));
    perform pgmq.delete(p_queue, p_msg_id);
end
$$;

comment on function gateway.fn_bury_message(text, bigint, integer, timestamptz, jsonb) is
'Moves a poison message to ops.dead_message (ids only) and voids its request.';
