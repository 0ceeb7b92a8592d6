create or replace function admin.fn_check_name(p_thing text, p_name text) returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if btrim(coalesce(p_name, '')) = '' then
        perform admin.fn_refuse_change(
            400, 'name_is_not_blank', format('A %s needs a name', p_thing),
            'Give it one; it is how everybody will call it.'
        );
    end if;
    if length(btrim(p_name)) > 200 or p_name ~ '[[:cntrl:]]' then
        perform admin.fn_refuse_change(
            400, 'name_is_short_and_printable', format('This name of a %s is too long or cannot be printed', p_thing),
            'Use at most 200 characters, without line breaks and tabs.'
        );
    end if;
    return btrim(p_name);
end
$$;

comment on function admin.fn_check_name(text, text) is
'A name without blanks around it; refuses one that cannot be a name.';
