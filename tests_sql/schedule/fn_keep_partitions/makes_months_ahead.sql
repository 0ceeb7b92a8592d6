begin;
select plan(4);
select is(ops.fn_keep_partitions(), 0, 'what migrate made is there');
select is(
    count(*)::integer, 32, 'four months of eight tables'
) from pg_class as c where c.relnamespace = 'gateway'::regnamespace and c.relispartition and c.relkind = 'r' and c.relname ~ '_\d{4}_\d{2}$';
select test.make_offer('maker', 'model-a', 0, 0);
select test.make_customer('timely');
select test.settle(test.route(sha256('timely/token')));
select is(s.tableoid::regclass::text, 'gateway.api_request_s_' || to_char(now() at time zone 'UTC', 'YYYY_MM'), 'a row goes to its month')
from gateway.api_request_s as s where s.customer_hk = util.hash_key('timely');
select is(
    util.fn_request_time(s.api_request_hk), date_trunc('milliseconds', util.fn_request_time(s.api_request_hk)),
    'its key tells the millisecond'
) from gateway.api_request_s as s where s.customer_hk = util.hash_key('timely');
select * from finish();
rollback;
