-- A meter without a price of its own costs what the one does that it is a kind of; a variant what any variant does.
-- Pictures, searches, seconds and characters are a kind of nothing: then NULL is the answer, never 0.
create or replace function gateway.fn_find_price(p_rate jsonb, p_meter text) returns numeric
language sql immutable
set search_path = ''
return (coalesce(
    p_rate ->> p_meter, p_rate ->> split_part(p_meter, '/', 1),
    case p_meter
        when 'cache_read' then p_rate ->> 'input'
        when 'cache_write' then p_rate ->> 'input'
        when 'cache_write_1h' then coalesce(p_rate ->> 'cache_write', p_rate ->> 'input')
        when 'input_audio' then p_rate ->> 'input'
        when 'input_image' then p_rate ->> 'input'
        when 'cache_read_audio' then coalesce(p_rate ->> 'cache_read', p_rate ->> 'input')
        when 'output_audio' then p_rate ->> 'output'
        when 'output_image' then p_rate ->> 'output'
    end
))::numeric;

comment on function gateway.fn_find_price(jsonb, text) is
'USD per million of a meter, or of meter/variant, in a table of prices; NULL if it has no price.';
