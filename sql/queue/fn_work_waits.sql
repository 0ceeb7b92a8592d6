-- A queue holds what is being served as well, hidden; what waits is visible.
create or replace function gateway.fn_work_waits() returns boolean
language plpgsql
set search_path = ''
set enable_seqscan = off
as $$
begin
    return exists (select from pgmq.q_premium as q where q.vt <= clock_timestamp())
        or exists (select from pgmq.q_standard as q where q.vt <= clock_timestamp())
        or exists (select from pgmq.q_basic as q where q.vt <= clock_timestamp());
end
$$;

comment on function gateway.fn_work_waits() is
'Whether a decision of any tier waits for a worker to read it.';
