-- What must hold at every moment, whatever was killed: one row a violation.
drop view if exists ops.invariant_violation;
create view ops.invariant_violation as
select 'unaccounted_request' as invariant, encode(u.api_request_hk, 'hex')::uuid::text as subject, u.finding
from ops.unaccounted_request as u
union all
select 'unbalanced_request', encode(u.api_request_hk, 'hex')::uuid::text, u.finding from ops.unbalanced_request as u
union all
select 'budget_invariant', b.scope_kind || ' ' || encode(b.scope_hk, 'hex'), b.finding from ops.budget_invariant as b
union all
select 'stray_message', m.queue_name || ' ' || m.msg_id, m.finding from ops.stray_message as m
union all
select 'overdue_request', encode(o.api_request_hk, 'hex')::uuid::text, o.finding from ops.overdue_request as o
union all
select 'foreign_row', encode(f.api_request_hk, 'hex')::uuid::text, f.finding from ops.foreign_row as f
union all
select 'unpriced_attempt', encode(u.api_request_hk, 'hex')::uuid::text, u.finding from ops.unpriced_attempt as u
union all
select 'unbalanced_entry', e.subject, e.finding from ops.unbalanced_entry as e;

comment on view ops.invariant_violation is
'All violations of the invariants in one place: which, of what, and what is wrong. Must be empty.';
comment on column ops.invariant_violation.invariant is 'The view of schema ops that tells more.';
comment on column ops.invariant_violation.subject is
'A request''s id, a scope, a message, an entry of the ledger or an invoice.';
comment on column ops.invariant_violation.finding is 'What is wrong with it.';
