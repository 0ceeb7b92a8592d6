-- pgmq.send() plans its statement anew for every message (dynamic SQL); these three are planned once a session. What is
-- sent as read is hidden for a moment: a worker that is given it holds it longer, and a front may have died before.
create or replace function gateway.fn_send_work(p_queue text, p_message jsonb, p_read boolean default false)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_visible timestamptz := case when p_read then v_now + interval '5 seconds' else v_now end;
    v_read_at timestamptz := case when p_read then v_now end;
    v_msg_id bigint;
begin
    case p_queue
        when 'premium' then
            insert into pgmq.q_premium (vt, message, read_ct, last_read_at)
            values (v_visible, p_message, p_read::integer, v_read_at)
            returning q_premium.msg_id into v_msg_id;
        when 'standard' then
            insert into pgmq.q_standard (vt, message, read_ct, last_read_at)
            values (v_visible, p_message, p_read::integer, v_read_at)
            returning q_standard.msg_id into v_msg_id;
        else
            insert into pgmq.q_basic (vt, message, read_ct, last_read_at)
            values (v_visible, p_message, p_read::integer, v_read_at)
            returning q_basic.msg_id into v_msg_id;
    end case;
    return v_msg_id;
end
$$;

comment on function gateway.fn_send_work(text, jsonb, boolean) is
'Queues a decision in a tier''s queue, unread or as read once just now; returns its message id.';
