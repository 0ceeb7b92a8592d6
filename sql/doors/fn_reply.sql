-- What a reading door answers: the body, or a refusal in the contract's words.
create or replace function gateway.fn_reply_body(p_body jsonb) returns jsonb
language sql immutable parallel safe
return jsonb_build_object('status', 'ok', 'http_status', 200, 'body', p_body);

comment on function gateway.fn_reply_body(jsonb) is 'The answer of a reading door that has a body for the customer.';

create or replace function gateway.fn_reply_refusal(p_decision gateway.route_decision) returns jsonb
language sql immutable parallel safe
return jsonb_build_object(
    'status', p_decision.status, 'http_status', p_decision.http_status, 'message', p_decision.message,
    'detail', p_decision.detail::jsonb
);

comment on function gateway.fn_reply_refusal(gateway.route_decision) is
'The answer of a reading door that refuses: code, HTTP status and sentence.';

create or replace function gateway.fn_reply_invalid(p_param text, p_message text) returns jsonb
language sql immutable parallel safe
return jsonb_build_object(
    'status', 'invalid_request', 'http_status', 400, 'message', p_message, 'param', p_param,
    'detail', jsonb_build_object('param', p_param)
);

comment on function gateway.fn_reply_invalid(text, text) is
'The answer of a reading door to a parameter it cannot read: which one, and what it takes.';
