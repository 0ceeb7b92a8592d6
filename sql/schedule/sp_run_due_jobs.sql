-- The clock of the house. Every worker ticks it each second; while one runs a job the others find the lock taken
-- and go on. A job that fails is noted and does not keep the next from running.
create or replace function gateway.sp_run_due_jobs() returns table (job_name text, error text)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_job record;
begin
    if not exists (
        select from ops.job as j
        where j.is_active and coalesce(j.last_started_at + j.every, '-infinity') <= clock_timestamp()
    ) or not pg_try_advisory_xact_lock(hashtextextended('jobs', 1)) then
        return;
    end if;
    for v_job in
        select j.job_name from ops.job as j
        where j.is_active and coalesce(j.last_started_at + j.every, '-infinity') <= clock_timestamp()
        order by j.job_name
    loop
        job_name := v_job.job_name;
        error := null;
        update ops.job as j set last_started_at = clock_timestamp() where j.job_name = v_job.job_name;
        begin
            perform ops.fn_run_job(v_job.job_name);
        exception
            when others then
                error := sqlstate;
        end;
        update ops.job as j set last_finished_at = clock_timestamp(), last_error = error
        where j.job_name = v_job.job_name;
        return next;
    end loop;
end
$$;

comment on function gateway.sp_run_due_jobs() is
'Runs the clocked work that is due, if no other worker does; returns what ran and the SQLSTATE of what failed.';
