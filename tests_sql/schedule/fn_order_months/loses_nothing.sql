begin;
select plan(9);
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
select * from finish();
rollback;
