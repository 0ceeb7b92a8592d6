begin;
select plan(8);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('caller');
select is_empty($$select c.check_name from admin.sp_check_house() as c where not c.is_ok and c.check_name <> 'clock'$$, 'all is well');
select is((test.route(sha256('caller/token'))).status, 'routed', 'a call waits');
update pgmq.q_standard set enqueued_at = now() - interval '5 minutes', vt = now() - interval '5 minutes';
select results_eq($$select c.check_name from admin.sp_check_house() as c where not c.is_ok and c.check_name <> 'clock'$$,
    array['queue standard'], 'for too long');
update ops.reservation set deadline = now() - interval '1 hour' where customer_hk = util.hash_key('caller');
update ops.scope_state set month_held_usd = month_held_usd + 1 where customer_hk = util.hash_key('caller');
insert into ops.dead_message (queue_name, msg_id, read_ct, enqueued_at) values ('basic', 1, 6, now());
update ops.job set last_error = '22012' where job_name = 'roll up usage';
select set_eq(
    $$select c.check_name from admin.sp_check_house() as c where not c.is_ok and c.check_name <> 'clock'$$,
    array['queue standard', 'overdue_request', 'budget_invariant', 'dead messages', 'jobs'], 'and all that goes with it'
);
update ops.job set last_started_at = now() - interval '2 hours' where job_name = 'keep partitions';
select is((select is_ok from admin.sp_check_house() where check_name = 'clock'), false, 'a clock that stands still');
update ops.job set last_started_at = now(), last_finished_at = now() where true;
select is((select is_ok from admin.sp_check_house() where check_name = 'clock'), true, 'and goes again');
update admin.model set is_active = false where model is not null;
delete from admin.token where customer is not null;
select is((select count(*) from admin.sp_check_house() where check_name in ('tokens', 'models') and not is_ok), 2::bigint,
    'nobody who may call, nowhere to go');
select is((select count(*) from admin.sp_check_house() where remedy is null), 0::bigint, 'each has a remedy');
select * from finish();
rollback;
