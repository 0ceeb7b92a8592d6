create or replace function gateway.fn_find_message(p_queue text, p_msg_id bigint) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return case p_queue
        when 'premium' then (select q.message from pgmq.q_premium as q where q.msg_id = p_msg_id)
        when 'standard' then (select q.message from pgmq.q_standard as q where q.msg_id = p_msg_id)
        else (select q.message from pgmq.q_basic as q where q.msg_id = p_msg_id)
    end;
end
$$;

comment on function gateway.fn_find_message(text, bigint) is 'A message of a tier''s queue; NULL when it is gone.';
