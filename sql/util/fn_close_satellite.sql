-- What a DELETE by a DBA means: the current version ends, history stays.
create or replace function util.fn_close_satellite(p_satellite regclass, p_key jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_match text;
    v_closed integer;
begin
    perform util.fn_refuse_past();
    perform pg_advisory_xact_lock(hashtextextended(p_satellite::text || p_key::text, 0));
    select string_agg(format('s.%1$I = k.%1$I', k.name), ' and ') into v_match
    from jsonb_object_keys(p_key) as k (name);
    execute format(
        'update %1$s as s
         set load_end_date = greatest(util.current_load_date(), s.load_date + interval ''1 microsecond''),
         ended_by = session_user, end_reason = util.fn_change_reason()
         from jsonb_populate_record(null::%1$s, $1) as k where %2$s and s.load_end_date is null',
        p_satellite, v_match
    ) using p_key;
    get diagnostics v_closed = row_count;
    return v_closed > 0;
end
$$;

comment on function util.fn_close_satellite(regclass, jsonb) is
'Ends the current version of a key without a successor; true when there was one.';
