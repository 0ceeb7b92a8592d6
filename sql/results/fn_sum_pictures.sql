-- A function, so that what few requests have costs the others nothing when a month of them is read.
create or replace function gateway.fn_sum_pictures(p_usage jsonb) returns bigint
language sql immutable strict parallel safe
set search_path = ''
begin atomic
    select sum((o.value ->> 'units')::numeric)::bigint
    from jsonb_each(p_usage) as o
    where o.key = 'image' or o.key like 'image/%';
end;

comment on function gateway.fn_sum_pictures(jsonb) is
'Pictures of other_usage that are priced by the piece; NULL for none.';
