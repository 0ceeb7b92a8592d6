-- Only whoever read a message last may move when it shows again: the read count is the receipt that pgmq does not give.
-- What is being settled or read at this moment is let be; waiting for it could be a deadlock. What was given back has
-- no last_read_at until it is read again: its reader of before cannot hold it any longer, however late it hears of it.
create or replace function gateway.fn_show_messages(
    p_queue text, p_messages jsonb, p_until timestamptz, p_is_given_back boolean
) returns jsonb[]
language plpgsql
set search_path = ''
as $$
declare
    v_moved jsonb[];
begin
    case p_queue
        when 'premium' then
            with mine as (
                select q.msg_id from pgmq.q_premium as q
                inner join jsonb_to_recordset(p_messages) as m (queue text, msg_id bigint, read_ct integer)
                    on m.queue = 'premium' and q.msg_id = m.msg_id and q.read_ct = m.read_ct
                where p_is_given_back or q.last_read_at is not null
                for update skip locked
            ),

            moved as (
                update pgmq.q_premium as q
                set vt = p_until, last_read_at = case when not p_is_given_back then q.last_read_at end
                from mine as m where q.msg_id = m.msg_id
                returning q.message
            )

            select array_agg(m.message) into v_moved from moved as m;
        when 'standard' then
            with mine as (
                select q.msg_id from pgmq.q_standard as q
                inner join jsonb_to_recordset(p_messages) as m (queue text, msg_id bigint, read_ct integer)
                    on m.queue = 'standard' and q.msg_id = m.msg_id and q.read_ct = m.read_ct
                where p_is_given_back or q.last_read_at is not null
                for update skip locked
            ),

            moved as (
                update pgmq.q_standard as q
                set vt = p_until, last_read_at = case when not p_is_given_back then q.last_read_at end
                from mine as m where q.msg_id = m.msg_id
                returning q.message
            )

            select array_agg(m.message) into v_moved from moved as m;
        when 'basic' then
            with mine as (
                select q.msg_id from pgmq.q_basic as q
                inner join jsonb_to_recordset(p_messages) as m (queue text, msg_id bigint, read_ct integer)
                    on m.queue = 'basic' and q.msg_id = m.msg_id and q.read_ct = m.read_ct
                where p_is_given_back or q.last_read_at is not null
                for update skip locked
            ),

            moved as (
                update pgmq.q_basic as q
                set vt = p_until, last_read_at = case when not p_is_given_back then q.last_read_at end
                from mine as m where q.msg_id = m.msg_id
                returning q.message
            )

            select array_agg(m.message) into v_moved from moved as m;
        else
            raise exception using
                errcode = 'VG400', constraint = 'queue_is_known',
                message = format('There is no queue %s.', quote_literal(p_queue)),
                hint = 'Use premium, standard or basic.';
    end case;
    return v_moved;
end
$$;

comment on function gateway.fn_show_messages(text, jsonb, timestamptz, boolean) is
'Sets when messages of a queue show again, held for longer or given back, fenced by (msg_id, read_ct); returns those
that were moved.';
