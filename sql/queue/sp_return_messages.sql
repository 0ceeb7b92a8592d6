-- A worker gives back what it has not used: nobody was called, so the hand-out is taken back as well.
create or replace function gateway.sp_return_messages(p_messages jsonb, p_visible_again_seconds integer)
returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_queue text;
    v_returned integer := 0;
    v_until timestamptz := clock_timestamp() + make_interval(secs => p_visible_again_seconds);
    v_unused jsonb[];
    v_moved jsonb[];
begin
    for v_queue in select distinct m.given ->> 'queue' from jsonb_array_elements(p_messages) as m (given) order by 1 loop
        v_moved := gateway.fn_show_messages(v_queue, p_messages, v_until, true);
        v_unused := v_unused || v_moved;
    end loop;
    v_returned := coalesce(cardinality(v_unused), 0);
    if v_returned > 0 then
        perform gateway.fn_note_dispatch(v_unused, (-1)::smallint);
    end if;
    return v_returned;
end
$$;

comment on function gateway.sp_return_messages(jsonb, integer) is
'Gives messages ({queue, msg_id, read_ct}) back unused, to be read again after some seconds; returns how many were
still the caller''s.';
