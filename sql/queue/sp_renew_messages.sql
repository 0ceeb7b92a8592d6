-- Only whoever read a message last may keep it: the read count is the receipt that pgmq does not give.
create or replace function gateway.sp_renew_messages(p_messages jsonb, p_visible_again_seconds integer) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_until timestamptz := clock_timestamp() + make_interval(secs => p_visible_again_seconds);
    v_renewed integer := 0;
    v_moved integer;
begin
    update pgmq.q_premium as q set vt = v_until
    from jsonb_to_recordset(p_messages) as m (queue text, msg_id bigint, read_ct integer)
    where m.queue = 'premium' and q.msg_id = m.msg_id and q.read_ct = m.read_ct;
    get diagnostics v_moved = row_count;
    v_renewed := v_renewed + v_moved;
    update pgmq.q_standard as q set vt = v_until
    from jsonb_to_recordset(p_messages) as m (queue text, msg_id bigint, read_ct integer)
    where m.queue = 'standard' and q.msg_id = m.msg_id and q.read_ct = m.read_ct;
    get diagnostics v_moved = row_count;
    v_renewed := v_renewed + v_moved;
    update pgmq.q_basic as q set vt = v_until
    from jsonb_to_recordset(p_messages) as m (queue text, msg_id bigint, read_ct integer)
    where m.queue = 'basic' and q.msg_id = m.msg_id and q.read_ct = m.read_ct;
    get diagnostics v_moved = row_count;
    return v_renewed + v_moved;
end
$$;

comment on function gateway.sp_renew_messages(jsonb, integer) is
'Keeps messages ({queue, msg_id, read_ct}) invisible for longer; returns how many were still the caller''s.';
