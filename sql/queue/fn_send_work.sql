-- pgmq.send() plans its statement anew for every message (dynamic SQL); these three are planned once a session.
create or replace function gateway.fn_send_work(p_queue text, p_message jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_msg_id bigint;
begin
    case p_queue
        when 'premium' then
            insert into pgmq.q_premium (vt, message) values (clock_timestamp(), p_message)
            returning q_premium.msg_id into v_msg_id;
        when 'standard' then
            insert into pgmq.q_standard (vt, message) values (clock_timestamp(), p_message)
            returning q_standard.msg_id into v_msg_id;
        else
            insert into pgmq.q_basic (vt, message) values (clock_timestamp(), p_message)
            returning q_basic.msg_id into v_msg_id;
    end case;
    return v_msg_id;
end
$$;

comment on function gateway.fn_send_work(text, jsonb) is
'Queues a decision in a tier''s queue; returns its message id.';
