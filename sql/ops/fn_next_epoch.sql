-- One lock for all that changes rules or offers: people and the price book do, seldom, and never a call. It is held
-- until the change is committed, so epochs become visible in their order.
create or replace function ops.fn_lock_routing() returns void
language sql
set search_path = ''
begin atomic
    select pg_advisory_xact_lock(hashtextextended('routing', 1));
end;

comment on function ops.fn_lock_routing() is 'Waits until nobody else changes rules or offers, and keeps others out.';

create or replace function ops.fn_next_epoch() returns bigint
language sql
set search_path = ''
begin atomic
    update ops.epoch set number = number + 1 where only_row returning number;
end;

comment on function ops.fn_next_epoch() is 'The number of a change of rules or offers. Its transaction holds the lock.';
