-- The one way in which a change by a DBA is refused: a code, the rule's name, a sentence, a remedy. What he wrote is
-- quoted in it, and may be a megabyte.
create or replace function admin.fn_refuse_change(p_http_status integer, p_rule text, p_message text, p_hint text)
returns void
language plpgsql
set search_path = ''
as $$
begin
    raise exception using
        errcode = 'VG' || p_http_status, constraint = p_rule, hint = p_hint,
        message = left(p_message, 300) || case when length(p_message) > 300 then '…' else '' end;
end
$$;

comment on function admin.fn_refuse_change(integer, text, text, text) is
'Raises SQLSTATE VG and an HTTP status: 400 nonsense, 404 names what does not exist, 409 is in the way of something.';
