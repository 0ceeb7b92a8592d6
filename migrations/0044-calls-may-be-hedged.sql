-- A rule may have a second provider asked when the first one says nothing for longer than nearly all calls take.
set local role onevault_owner;

alter table gateway.routing_rule_s add column is_hedged boolean not null default false;
alter table ops.rule add column is_hedged boolean not null default false;
comment on column gateway.routing_rule_s.is_hedged is
'Whether another provider is asked as well when the first one is slower than it nearly always is.';
alter type gateway.route_choice add attribute is_hedged boolean;

create table ops.offer_wait (
    offer_hk bytea not null,
    is_streamed boolean not null,
    p95_ms integer not null,
    measured_at timestamptz not null,
    primary key (offer_hk, is_streamed),
    constraint wait_is_not_negative check (p95_ms >= 0)
) with (fillfactor = 50);
comment on table ops.offer_wait is
'How long 95 of 100 recent calls waited at most: streams for their first byte, plain ones for their answer. Measured
while a rule hedges.';

-- squawk-ignore ban-drop-constraint
alter table gateway.api_request_attempt_s drop constraint error_class_is_known;
alter table gateway.api_request_attempt_s
add constraint error_class_is_known check (error_class in (
    'bad_request', 'context_too_long', 'content_policy', 'auth_dead', 'money_dead', 'rate_limited', 'overloaded',
    'server_error', 'timeout', 'connect', 'truncated_stream', 'client_gone', 'front_gone', 'worker_lost', 'outrun'
)) not valid,
add constraint who_was_outrun_is_never_charged check (error_class <> 'outrun' or not is_charged) not valid;
