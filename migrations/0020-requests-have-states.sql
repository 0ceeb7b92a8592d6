-- A request walks reserved -> dispatched -> streaming and ends settled, voided or unknown. The open states stand in its
-- reservation, the ends in its satellite; one transaction takes it from the one to the other.
set local role onevault_owner;

alter table ops.reservation
add column request_state text not null default 'reserved',
add column dispatch_count smallint not null default 0,
add column told_at timestamptz,
add column told_output_bytes bigint not null default 0,
add column told_offer text;

-- What was read before this release had no state.
update ops.reservation as r set request_state = 'dispatched', dispatch_count = q.read_ct
from (
    select 'premium' as queue_name, p.msg_id, p.read_ct from pgmq.q_premium as p
    union all
    select 'standard', s.msg_id, s.read_ct from pgmq.q_standard as s
    union all
    select 'basic', b.msg_id, b.read_ct from pgmq.q_basic as b
) as q
where r.queue_name = q.queue_name and r.msg_id = q.msg_id and q.read_ct > 0;

-- Calls under way only: a short table.
alter table ops.reservation
-- squawk-ignore constraint-missing-not-valid
add constraint request_state_is_open check (request_state in ('reserved', 'dispatched', 'streaming')),
-- squawk-ignore constraint-missing-not-valid
add constraint reserved_means_never_handed_out check ((request_state = 'reserved') = (dispatch_count = 0)),
-- squawk-ignore constraint-missing-not-valid
add constraint output_means_streaming check (
    told_output_bytes >= 0 and (told_output_bytes = 0 or request_state = 'streaming')
);

create function ops.tg_reservation_state() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if (old.request_state, new.request_state) not in (
        ('reserved', 'dispatched'), ('dispatched', 'reserved'), ('dispatched', 'streaming')
    ) then
        raise exception using
            errcode = 'VG409', constraint = 'request_state_follows_the_walk',
            message = format('A request that is %s cannot become %s', old.request_state, new.request_state),
            hint = 'The walk is reserved, dispatched, streaming; an unused hand-out may be returned; an end deletes the row.';
    end if;
    return new;
end
$$;

comment on function ops.tg_reservation_state() is 'Refuses a step that the walk of a request does not have.';

create trigger reservation_state before update of request_state on ops.reservation
for each row when (old.request_state is distinct from new.request_state)
execute function ops.tg_reservation_state();

-- History is checked by the next migration but one, which keeps nobody waiting.
-- squawk-ignore ban-drop-constraint
alter table gateway.api_request_s drop constraint response_status_is_known;
alter table gateway.api_request_s
add constraint response_status_is_known check (
    response_status in ('SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED', 'VOIDED', 'UNKNOWN')
) not valid,
add constraint only_what_is_settled_is_charged check (
    customer_cost = 0 or response_status not in ('VOIDED', 'UNKNOWN')
) not valid;

-- squawk-ignore ban-drop-constraint
alter table gateway.api_request_attempt_s drop constraint outcome_is_known;
alter table gateway.api_request_attempt_s
add constraint outcome_is_known check (
    outcome in ('SUCCESS', 'ERROR', 'TIMEOUT', 'CANCELLED', 'UNKNOWN')
) not valid,
add constraint unknown_is_never_charged check (outcome <> 'UNKNOWN' or not is_charged) not valid;

alter table ops.dead_message add column error_class text;

-- Private functions, called by those alone that this release replaces in the same transaction.
-- squawk-ignore ban-drop-function
drop function if exists ops.fn_void_expired_reservations();
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_void_request(bytea, bytea);
delete from ops.job where job_name = 'void expired reservations';

comment on column ops.reservation.request_state is
'reserved: no worker has it; dispatched: a worker may be calling; streaming: output is known to flow.';
comment on column ops.reservation.dispatch_count is
'How many workers have had it. All but the last told no end: their calls, if they made any, are unknown.';
comment on column ops.reservation.told_at is 'When a worker last told of it.';
comment on column ops.reservation.told_output_bytes is
'Text that a worker said it had passed on: what is charged if worker and front are lost.';
comment on column ops.reservation.told_offer is 'The offer that was being called when a worker last told.';
comment on column ops.dead_message.error_class is 'Why it died: too_many_readings.';
