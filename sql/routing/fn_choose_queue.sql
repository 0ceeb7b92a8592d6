-- The customer's tier, or a lower one that the call asks for; never a higher one.
create or replace function gateway.fn_choose_queue(p_tier text, p_priority text) returns text
language sql immutable parallel safe
return case
    when lower(p_priority) in ('basic', 'low') or p_tier = 'BASIC' then 'basic'
    when lower(p_priority) in ('standard', 'normal') or p_tier = 'STANDARD' then 'standard'
    else 'premium'
end;

comment on function gateway.fn_choose_queue(text, text) is
'The queue of a call: its customer''s tier, or the lower one asked for with "priority".';
