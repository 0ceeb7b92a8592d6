-- The worker that read it is dead: visible again at once, for the next one. It stays dispatched, since that worker may
-- have called a provider. Fenced, so that a late report moves nothing.
create or replace function gateway.sp_release_message(p_queue text, p_msg_id bigint, p_read_ct integer) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_moved jsonb[];
begin
    v_moved := gateway.fn_show_messages(
        p_queue, jsonb_build_array(jsonb_build_object('queue', p_queue, 'msg_id', p_msg_id, 'read_ct', p_read_ct)),
        clock_timestamp()
    );
    if v_moved is null then
        return false;
    end if;
    perform pg_notify('onevault_work', '');
    return true;
end
$$;

comment on function gateway.sp_release_message(text, bigint, integer) is
'Gives a message back whose worker died; true when it was still that worker''s.';
