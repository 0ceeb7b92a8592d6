create or replace function gateway.fn_has_message(p_queue text, p_msg_id bigint) returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
    return case p_queue
        when 'premium' then exists (select from pgmq.q_premium as q where q.msg_id = p_msg_id)
        when 'standard' then exists (select from pgmq.q_standard as q where q.msg_id = p_msg_id)
        else exists (select from pgmq.q_basic as q where q.msg_id = p_msg_id)
    end;
end
$$;

comment on function gateway.fn_has_message(text, bigint) is 'Whether a message still is in its tier''s queue.';
