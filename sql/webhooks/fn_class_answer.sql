create or replace function gateway.fn_class_answer(p_http_status integer, p_error_class text) returns text
language sql immutable parallel safe
return case
    when p_http_status between 200 and 299 then null
    when p_http_status = 410 then 'gone'
    when p_http_status = 429 then 'throttled'
    when p_http_status between 300 and 399 then 'redirected'
    when p_http_status between 400 and 499 then 'refused'
    when p_http_status is not null then 'server_error'
    else coalesce(p_error_class, 'lost')
end;

comment on function gateway.fn_class_answer(integer, text) is
'The class of what somebody answered to what was sent to him, or of why he did not; NULL when he took it.';
