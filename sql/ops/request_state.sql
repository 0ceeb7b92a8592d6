drop view if exists ops.request_state;
create view ops.request_state as
select
    encode(r.api_request_hk, 'hex')::uuid as request_id, r.customer_hk, r.request_state, r.reserved_at as since,
    r.told_at, r.dispatch_count, r.held_usd
from ops.reservation as r
union all
select
    s.request_id, s.customer_hk,
    case s.response_status when 'VOIDED' then 'voided' when 'UNKNOWN' then 'unknown' else 'settled' end, s.load_date,
    null, null, 0
from gateway.api_request_s as s;

comment on view ops.request_state is
'Where each request stands: reserved, dispatched or streaming while it is open; settled, voided or unknown once it has
ended.';
comment on column ops.request_state.since is 'When it was reserved; for one that has ended, when it was booked.';
comment on column ops.request_state.told_at is 'When a worker last told of it.';
