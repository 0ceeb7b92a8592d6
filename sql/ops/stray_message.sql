-- A message and an open request stand for each other. The sweeper closes requests that lost theirs within two minutes.
drop view if exists ops.stray_message;
create view ops.stray_message as
with waiting as (
    select 'premium' as queue_name, p.msg_id, p.message from pgmq.q_premium as p
    union all
    select 'standard', s.msg_id, s.message from pgmq.q_standard as s
    union all
    select 'basic', b.msg_id, b.message from pgmq.q_basic as b
)

select w.queue_name, w.msg_id, w.message ->> 'request' as request_id, 'is queued without an open request' as finding
from waiting as w
where not exists (
    select from ops.reservation as r where r.queue_name = w.queue_name and r.msg_id = w.msg_id
)
union all
select r.queue_name, r.msg_id, encode(r.api_request_hk, 'hex')::uuid::text as request_id,
    'is open without a message' as finding
from ops.reservation as r
where
    r.reserved_at < now() - interval '2 minutes'
    and not exists (select from waiting as w where w.queue_name = r.queue_name and w.msg_id = r.msg_id);

comment on view ops.stray_message is
'Messages without an open request, and open requests that lost their message and were not swept. Must be empty.';
