-- Limits are shared by customers and so come before every row of one: whoever takes several calls in one transaction
-- locks all their limits first, in this order.
create or replace function gateway.fn_lock_limits(p_limit_hks bytea[]) returns void
language sql
set search_path = ''
begin atomic
    select from ops.usage_limit as l
    where p_limit_hks is null or l.usage_limit_hk = any(p_limit_hks)
    order by l.usage_limit_hk
    for update;
end;

comment on function gateway.fn_lock_limits(bytea[]) is 'Locks these limits, or all of them when NULL.';
