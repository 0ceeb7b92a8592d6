-- One list of keys in the order in which they are tried: the worker takes the next one where one is not taken.
create or replace function gateway.fn_put_own_keys(p_candidate jsonb, p_own_keys jsonb, p_falls_back boolean)
returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select p_candidate || jsonb_build_object('own_keys', p_own_keys, 'key', k.keys -> 0, 'spare_keys', k.keys - 0)
    from (
        select p_own_keys || case when p_falls_back
            then jsonb_build_array(p_candidate -> 'key') || coalesce(p_candidate -> 'spare_keys', '[]') else '[]'
        end as keys
    ) as k;
end;

comment on function gateway.fn_put_own_keys(jsonb, jsonb, boolean) is
'A candidate with the customer''s own keys before the house''s, or in their place.';

create or replace function gateway.fn_name_keys(p_candidate jsonb) returns text
language sql immutable
set search_path = ''
return case
    when p_candidate -> 'own_keys' is null then case when p_candidate ->> 'key' is null then 'none' else 'house' end
    when jsonb_array_length(p_candidate -> 'own_keys') > jsonb_array_length(p_candidate -> 'spare_keys') then 'own'
    else 'own, then house'
end;

comment on function gateway.fn_name_keys(jsonb) is
'Whose keys a candidate is called with: own; own, then house; house; or none.';
