-- What pgmq.read() does, planned once a session instead of once a call: an idle worker asks four times a second, a
-- busy one after every batch.
create or replace function gateway.fn_take_messages(p_queue text, p_limit integer, p_visible_again timestamptz)
returns setof pgmq.message_record
language plpgsql
set search_path = ''
as $$
begin
    case p_queue
        when 'premium' then return query
            with taken as (
                select q.msg_id from pgmq.q_premium as q where q.vt <= clock_timestamp()
                order by q.msg_id limit p_limit for update skip locked
            )
            update pgmq.q_premium as q
            set vt = p_visible_again, read_ct = q.read_ct + 1, last_read_at = clock_timestamp()
            from taken as t where q.msg_id = t.msg_id
            returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers;
        when 'standard' then return query
            with taken as (
                select q.msg_id from pgmq.q_standard as q where q.vt <= clock_timestamp()
                order by q.msg_id limit p_limit for update skip locked
            )
            update pgmq.q_standard as q
            set vt = p_visible_again, read_ct = q.read_ct + 1, last_read_at = clock_timestamp()
            from taken as t where q.msg_id = t.msg_id
            returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers;
        else return query
            with taken as (
                select q.msg_id from pgmq.q_basic as q where q.vt <= clock_timestamp()
                order by q.msg_id limit p_limit for update skip locked
            )
            update pgmq.q_basic as q
            set vt = p_visible_again, read_ct = q.read_ct + 1, last_read_at = clock_timestamp()
            from taken as t where q.msg_id = t.msg_id
            returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.vt, q.message, q.headers;
    end case;
end
$$;

comment on function gateway.fn_take_messages(text, integer, timestamptz) is
'Up to p_limit visible messages of a tier''s queue, invisible to others until p_visible_again.';
