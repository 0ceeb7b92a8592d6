begin;
select plan(10);
update ops.job set last_started_at = null where true;
create temporary table ran as select j.* from gateway.sp_run_due_jobs() as j;
select is(count(*), (select count(*) from ops.job as j where j.is_active), 'all that is due') from ran;
select is(count(*)::integer, 0, 'and none failed') from ran as r where r.error is not null;
select is(count(*)::integer, 0, 'not again at once') from gateway.sp_run_due_jobs();
select throws_ok($$select ops.fn_run_job('drop everything')$$, 'VG400', null, 'a job is a name of the list');

update ops.job set last_started_at = now() - interval '2 hours' where job_name in ('mend usage', 'learn usage', 'tell bills');
update ops.job set last_started_at = now() - interval '3 hours' where job_name = 'tell bills';
create or replace function ops.fn_learn_usage(p_until timestamptz default null) returns integer
language sql set search_path = '' as 'select 0 from pg_sleep(9)';
set local statement_timeout = '300ms';
select is((select array_agg(j) from gateway.sp_run_due_jobs(1) as j)::text, '{"(\"tell bills\",)"}', 'one, due for longest');
select is((select array_agg(j) from gateway.sp_run_due_jobs() as j)::text, '{"(\"learn usage\",57014)"}', 'time is up: that is noted, and the rest left');
set local statement_timeout = 0;
select is((select array_agg(j) from gateway.sp_run_due_jobs(1) as j)::text, '{"(\"mend usage\",)"}', 'and it does not stand in the way of the next');
select is((select j.last_error from ops.job as j where j.job_name = 'learn usage'), '57014', 'it is known to have failed');

update ops.job set last_started_at = now() - interval '2 hours' where job_name = 'learn usage';
create or replace function ops.fn_learn_usage(p_until timestamptz default null) returns integer
language plpgsql set search_path = '' as 'begin raise exception using errcode = ''57014''; end';
do $$
begin
    perform gateway.sp_run_due_jobs(1);
exception
    when query_canceled then
        perform set_config('test.stopped', 'yes', true);
end
$$;
select is(current_setting('test.stopped', true), 'yes', 'who is told to stop stops');
select is((select j.last_started_at from ops.job as j where j.job_name = 'learn usage'), now() - interval '2 hours', 'and the job is still due');
select * from finish();
rollback;
