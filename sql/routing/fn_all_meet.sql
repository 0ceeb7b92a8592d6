-- A check of ops.reservation depends on it, so a migration made it first. It cannot be inlined; with a setting of its
-- own that is not even tried, which would read its body anew with every INSERT and UPDATE there.
create or replace function gateway.fn_all_meet(p_offers jsonb, p_levels text[]) returns boolean
language sql immutable parallel safe
set search_path = ''
begin atomic
    select coalesce(bool_and(coalesce(o.offer -> 'levels' ?& p_levels, false)), true)
    from jsonb_array_elements(p_offers) as o (offer);
end;

comment on function gateway.fn_all_meet(jsonb, text[]) is
'Whether each of these offers, as a reservation keeps them, meets all of these compliance levels.';
