-- The clock of the house. Every worker ticks it each second, and asks for one job at a time: each is a transaction of
-- its own, whose locks nobody else's work prolongs. While one runs a job the others find the lock taken and go on.
-- What has been due for longest runs first. A job that fails is noted and does not keep the next from running, and so
-- is one that runs into the time limit; a worker that is stopped leaves its job to the others.
create or replace function gateway.sp_run_due_jobs(p_at_most integer default null)
returns table (job_name text, error text)
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
        order by coalesce(j.last_started_at + j.every, '-infinity'), j.job_name
        limit p_at_most
    loop
        job_name := v_job.job_name;
        error := null;
        update ops.job as j set last_started_at = clock_timestamp() where j.job_name = v_job.job_name;
        begin
            perform ops.fn_run_job(v_job.job_name);
        exception
            when query_canceled then
                if current_setting('statement_timeout')::interval not between interval '1 millisecond'
                    and clock_timestamp() - statement_timestamp() then
                    raise;
                end if;
                error := sqlstate;
            when others then
                error := sqlstate;
        end;
        -- A job that has switched itself off has said why.
        update ops.job as j
        set last_finished_at = clock_timestamp(), last_error = coalesce(error, case when not j.is_active then j.last_error end)
        where j.job_name = v_job.job_name;
        return next;
        exit when error = '57014';
    end loop;
end
$$;

comment on function gateway.sp_run_due_jobs(integer) is
'Runs clocked work that is due, that many jobs at most, if no other worker does; returns what ran and the SQLSTATE of
what failed.';
