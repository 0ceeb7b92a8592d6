-- Meters beside the four, at the baseline's prices of the same meter or of the next one that it has.
create or replace function gateway.fn_cost_extras(p_usage jsonb, p_rate jsonb) returns numeric
language sql immutable strict parallel safe
set search_path = ''
begin atomic
    select sum((u.value ->> 'units')::numeric * coalesce(
        p_rate ->> u.key, p_rate ->> split_part(u.key, '/', 1),
        case
            when u.key like 'output%' then p_rate ->> 'output'
            when u.key like 'cache_write%' then coalesce(p_rate ->> 'cache_write', p_rate ->> 'input')
            when u.key like 'cache_read%' then coalesce(p_rate ->> 'cache_read', p_rate ->> 'input')
            when u.key like 'input%' then p_rate ->> 'input'
        end
    )::numeric)
    from jsonb_each(p_usage) as u;
end;

comment on function gateway.fn_cost_extras(jsonb, jsonb) is
'Units of other_usage times the prices of a baseline, in millionths of USD; without what it has no price for.';
