-- A front whose worker died asks for the message back: visible again at once, for the next one. It stays dispatched,
-- since that worker may have called a provider. Fenced, so that a late report moves nothing. When it is gone, the
-- request has been booked by that worker, and its answer went down with it: then nobody else will answer. What had been
-- delivered is noted, durably and whoever has the message now: if the front dies too before a worker that asked it has
-- booked that, it is charged all the same.
create or replace function gateway.sp_reclaim_message(
    p_queue text, p_msg_id bigint, p_read_ct integer, p_delivered_bytes bigint default 0
) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_moved jsonb[];
    v_message jsonb;
begin
    v_moved := gateway.fn_show_messages(
        p_queue, jsonb_build_array(jsonb_build_object('queue', p_queue, 'msg_id', p_msg_id, 'read_ct', p_read_ct)),
        clock_timestamp(), true
    );
    v_message := coalesce(v_moved[1], gateway.fn_find_message(p_queue, p_msg_id));
    if v_message is null then
        return 'gone';
    end if;
    if p_delivered_bytes > 0 then
        perform set_config('synchronous_commit', 'on', true);
        update ops.reservation as r set
            told_at = clock_timestamp(), told_output_bytes = greatest(r.told_output_bytes, p_delivered_bytes),
            request_state = 'streaming'
        where
            r.api_request_hk = uuid_send((v_message ->> 'request')::uuid)
            and r.customer_hk = decode(v_message ->> 'customer', 'hex');
    end if;
    if v_moved is null then
        return 'taken';
    end if;
    perform pg_notify('onevault_work', '');
    return 'released';
end
$$;

comment on function gateway.sp_reclaim_message(text, bigint, integer, bigint) is
'Gives a message back whose worker died, and notes how many bytes of its answer had been delivered: released; taken by
another worker meanwhile; or gone, its request has ended.';
