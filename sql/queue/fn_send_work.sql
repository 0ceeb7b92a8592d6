-- Three branches instead of pgmq.send(): that one plans its statement anew for every message.
create or replace function gateway.fn_send_work(p_queue text, p_message jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
declare
    v_msg_id bigint;
begin
    select s.send into v_msg_id from pgmq.send(p_queue, p_message) as s;
    return v_msg_id;
end
$$;

comment on function gateway.fn_send_work(text, jsonb) is 'Queues a decision in a tier''s queue; returns its message id.';
