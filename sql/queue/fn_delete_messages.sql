-- Deletes the messages of a batch of results that still belong to whoever tells them; returns the ordinals of
-- those.
create or replace function gateway.fn_delete_messages(p_batch jsonb) returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
    v_ordinals bigint[] := '{}';
    v_deleted bigint[];
    v_queue text;
begin
    for v_queue in
        select distinct b.result ->> 'queue' from jsonb_array_elements(p_batch) as b (result) order by 1
    loop
        case v_queue
            when 'premium' then
                with deleted as (
                    delete from pgmq.q_premium as q
                    using jsonb_array_elements(p_batch) with ordinality as b (result, ordinal)
                    where
                        b.result ->> 'queue' = 'premium' and q.msg_id = (b.result ->> 'msg_id')::bigint
                        and q.read_ct = (b.result ->> 'read_ct')::integer
                    returning b.ordinal
                )
                select array_agg(d.ordinal) into v_deleted from deleted as d;
            when 'standard' then
                with deleted as (
                    delete from pgmq.q_standard as q
                    using jsonb_array_elements(p_batch) with ordinality as b (result, ordinal)
                    where
                        b.result ->> 'queue' = 'standard' and q.msg_id = (b.result ->> 'msg_id')::bigint
                        and q.read_ct = (b.result ->> 'read_ct')::integer
                    returning b.ordinal
                )
                select array_agg(d.ordinal) into v_deleted from deleted as d;
            when 'basic' then
                with deleted as (
                    delete from pgmq.q_basic as q
                    using jsonb_array_elements(p_batch) with ordinality as b (result, ordinal)
                    where
                        b.result ->> 'queue' = 'basic' and q.msg_id = (b.result ->> 'msg_id')::bigint
                        and q.read_ct = (b.result ->> 'read_ct')::integer
                    returning b.ordinal
                )
                select array_agg(d.ordinal) into v_deleted from deleted as d;
            else
                raise exception using
                    errcode = 'VG400', constraint = 'queue_is_known',
                    message = format('There is no queue %s.', quote_literal(v_queue)),
                    hint = 'Use premium, standard or basic.';
        end case;
        v_ordinals := v_ordinals || v_deleted;
    end loop;
    return v_ordinals;
end
$$;

comment on function gateway.fn_delete_messages(jsonb) is
'Deletes messages fenced by (msg_id, read_ct); returns the ordinals of the results that may be booked.';
