-- Messages come before reservations in everything that locks both. Whoever begins at the other end must not wait: what
-- is being read or settled at this moment is let be.
create or replace function gateway.fn_drop_message(p_queue text, p_msg_id bigint) returns boolean
language plpgsql
set search_path = ''
as $$
begin
    case p_queue
        when 'premium' then
            delete from pgmq.q_premium as q where q.msg_id in (
                select m.msg_id from pgmq.q_premium as m where m.msg_id = p_msg_id for update skip locked
            );
        when 'standard' then
            delete from pgmq.q_standard as q where q.msg_id in (
                select m.msg_id from pgmq.q_standard as m where m.msg_id = p_msg_id for update skip locked
            );
        else
            delete from pgmq.q_basic as q where q.msg_id in (
                select m.msg_id from pgmq.q_basic as m where m.msg_id = p_msg_id for update skip locked
            );
    end case;
    return found or gateway.fn_find_message(p_queue, p_msg_id) is null;
end
$$;

comment on function gateway.fn_drop_message(text, bigint) is
'Deletes a message of a tier''s queue without waiting for anybody; false when somebody is at it.';
