-- A decision that no other waits before goes from the front to a worker that is linked, without being read from the
-- queue: it is queued as read once, and its text comes back with the decision.
set local role onevault_owner;

alter type gateway.route_decision add attribute work jsonb;
comment on type gateway.route_decision is
'What sp_route_request answers: routed, or a refusal ready to be told to the customer. `work` is the message, where it
is for whoever asked to hand over.';

-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_route_requests(jsonb, text, boolean);
-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_route_request(bytea, jsonb, text);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_send_work(text, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_show_messages(text, jsonb, timestamptz);
