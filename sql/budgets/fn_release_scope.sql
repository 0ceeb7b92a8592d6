-- Gives a hold back and books what was really charged. A window that has moved on since keeps out of it: its sums
-- were begun anew. p_rate_us gives a request back to the rate bucket, when it is undone within its own
-- transaction.
create or replace function gateway.fn_release_scope(
    p_scope_hk bytea, p_held_usd numeric, p_charged_usd numeric, p_day_number integer, p_month_number integer,
    p_rate_us bigint default 0
) returns void
language plpgsql
set search_path = ''
as $$
begin
    update ops.scope_state as s set
        day_held_usd = s.day_held_usd - case when s.day_number = p_day_number then p_held_usd else 0 end,
        day_spent_usd = s.day_spent_usd + case when s.day_number = p_day_number then p_charged_usd else 0 end,
        month_held_usd = s.month_held_usd - case when s.month_number = p_month_number then p_held_usd else 0 end,
        month_spent_usd = s.month_spent_usd + case when s.month_number = p_month_number then p_charged_usd else 0 end,
        rate_full_at_us = s.rate_full_at_us - p_rate_us
    where s.scope_hk = p_scope_hk;
end
$$;

comment on function gateway.fn_release_scope(bytea, numeric, numeric, integer, integer, bigint) is
'Turns a scope''s hold into what was charged, in the day and month it was made for.';
