-- As sp_reclaim_message, for whoever only asks whether it was still that worker's.
create or replace function gateway.sp_release_message(p_queue text, p_msg_id bigint, p_read_ct integer) returns boolean
language sql
security definer
set search_path = ''
return gateway.sp_reclaim_message(p_queue, p_msg_id, p_read_ct, 0) = 'released';

comment on function gateway.sp_release_message(text, bigint, integer) is
'Gives a message back whose worker died; true when it was still that worker''s.';
