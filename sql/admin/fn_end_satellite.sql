-- Who deleted a thing is part of its history: a last version bears his name, then it ends.
create or replace function admin.fn_end_satellite(p_satellite regclass, p_key jsonb, p_last jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform util.fn_load_satellite(p_satellite, p_key, p_last, session_user);
    perform util.fn_close_satellite(p_satellite, p_key);
end
$$;

comment on function admin.fn_end_satellite(regclass, jsonb, jsonb) is
'Ends a thing: its last version says what p_last says and who ended it; history stays.';
