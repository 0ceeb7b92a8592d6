-- That it is https the table itself checks. Which addresses a name leads to changes, so workers look at each try.
create or replace function admin.fn_check_webhook_url(p_webhook_url text) returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_url text := nullif(btrim(p_webhook_url), '');
begin
    if v_url ~ '^https://' and (
        length(v_url) > 2000
        or v_url !~ '^https://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?][!-~]*)?$'
        or v_url ~ '[#\\<>"{}|^`]'
    ) then
        perform admin.fn_refuse_change(
            400, 'webhook_url_names_a_host', 'This is no address that events can be sent to',
            'Write it like https://example.com/hook: a host in ASCII, without user, password, blanks or #, '
            || 'at most 2,000 characters.'
        );
    end if;
    return v_url;
end
$$;

comment on function admin.fn_check_webhook_url(text) is
'A webhook_url without blanks around; refuses what no event can go to.';
