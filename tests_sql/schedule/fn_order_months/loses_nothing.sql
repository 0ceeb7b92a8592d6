begin;
select plan(14);
select test.make_offer('maker', 'model-a');
select test.make_customer('anna');
select format(
    'create table gateway.api_request_s_2020_01 partition of gateway.api_request_s for values from (%L) to (%L)',
    util.fn_request_key_at('2020-01-01Z'), util.fn_request_key_at('2020-02-01Z')
) \gexec
select count(test.book_at('anna', '2020-01-10Z')) from generate_series(1, 35);
select is(
    array(select ops.fn_order_months(10) from generate_series(1, 5)), '{copied,copied,copied,copied,ordered}'::text[],
    'more rows of one moment than a step takes'
);
select is((select count(*)::integer from gateway.api_request_s_2020_01), 35, 'are all there');

alter table gateway.api_request_s_2020_01 set without cluster;
select is(ops.fn_order_months(10), 'copied', 'who takes the mark away has it put in order anew');
select is(ops.fn_drop_copies(), 1, 'whoever installs drops what was begun');
select is(ops.fn_order_months(100), 'copied', 'and it begins anew');
set local session_replication_role = replica;
delete from gateway.api_request_s_2020_01 where ctid = (select min(s.ctid) from gateway.api_request_s_2020_01 as s);
set local session_replication_role = origin;
select throws_ok('select ops.fn_order_months(100)', 'VG500', null, 'a month that has lost a row is not exchanged');
select is((select count(*)::integer from gateway.api_request_s_2020_01), 34, 'it stays');
select is((select count(*)::integer from gateway.api_request_s_2020_01_ordered), 35, 'and what was lost is in the copy');
select is((select count(*)::integer from gateway.api_request_s), 34, 'which nobody counts');

-- Bookings need the room that is left.
update ops.job set last_started_at = now() where job_name <> 'order months';
create or replace function ops.fn_copy_month(p_month text, p_rows integer) returns integer language plpgsql set search_path = ''
as 'begin raise disk_full; end';
select is((select array_agg(j) from gateway.sp_run_due_jobs() as j)::text, '{"(\"order months\",)"}', 'a full disk');
select is(to_regclass('gateway.api_request_s_2020_01_ordered'), null, 'gets its room back');
select is((j.is_active, j.last_error), (false, '53100'::text), 'and is not filled again') from ops.job as j where j.job_name = 'order months';
select is((h.is_ok, h.finding), (false, 'order months failed with 53100'::text), 'which a doctor sees') from admin.sp_check_house() as h
where h.check_name = 'jobs';
update ops.job set is_active = true, last_started_at = null where job_name = 'order months';
create or replace function ops.fn_copy_month(p_month text, p_rows integer) returns integer language sql set search_path = '' as 'select 5';
select gateway.sp_run_due_jobs();
select is(j.last_error, null, 'until it is let go on') from ops.job as j where j.job_name = 'order months';
select * from finish();
rollback;
