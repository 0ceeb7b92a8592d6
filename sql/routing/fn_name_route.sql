create or replace function gateway.fn_name_route(p_surface text) returns text
language sql immutable
return case p_surface
    when 'chat' then '/v1/chat/completions'
    when 'native' then '/v1/ai/completions'
    when 'count_tokens' then '/v1/messages/count_tokens'
    else '/v1/' || p_surface
end;

comment on function gateway.fn_name_route(text) is 'The path by which customers reach a surface.';
