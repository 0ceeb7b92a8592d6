-- A front whose worker died asks for the message back. When it is gone, the request has been booked by that worker,
-- and its answer went down with it: then nobody else will answer.
create or replace function gateway.sp_reclaim_message(p_queue text, p_msg_id bigint, p_read_ct integer) returns text
language sql
security definer
set search_path = ''
begin atomic
    select case
        when gateway.sp_release_message(p_queue, p_msg_id, p_read_ct) then 'released'
        when gateway.fn_has_message(p_queue, p_msg_id) then 'taken'
        else 'gone'
    end;
end;

comment on function gateway.sp_reclaim_message(text, bigint, integer) is
'Gives a message back whose worker died: released; taken by another worker meanwhile; or gone, its request has ended.';
