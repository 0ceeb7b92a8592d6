-- A job is a transaction of its own: who ticks the clock says how many jobs a call may run.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_run_due_jobs();
