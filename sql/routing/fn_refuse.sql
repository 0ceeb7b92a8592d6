create or replace function gateway.fn_refuse(
    p_status text, p_http_status integer, p_message text, p_detail jsonb default null,
    p_retry_after_ms bigint default null
) returns gateway.route_decision
language sql immutable
return row(
    p_status, p_http_status, null, null, null, null, null, null, null, null, null, null, p_retry_after_ms, null,
    p_message, p_detail::text, null
)::gateway.route_decision;

comment on function gateway.fn_refuse(text, integer, text, jsonb, bigint) is
'A refusal as a returned status: code and HTTP status of the contract, and a sentence that says what to do.';
