begin;
select plan(7);
select test.make_offer('maker', 'model-a', 0, 0);
select test.make_customer('hasty', '{"rate_limit_requests_per_minute": 3}');
create temporary table calls as
select n, d.* from generate_series(1, 4) as n cross join lateral test.route(sha256('hasty/token'), jsonb_build_object('n', n)) as d;
select is(array_agg(c.status order by c.n), '{routed,routed,routed,rate_limited}', 'three a minute, the fourth waits') from calls as c;
select is(array_agg(c.rate_remaining order by c.n), '{2,1,0,0}', 'told with each answer') from calls as c;
select is(c.http_status, 429) from calls as c where c.n = 4;
select ok(c.retry_after_ms between 19000 and 20000, 'the wait is one step') from calls as c where c.n = 4;
update ops.scope_state set rate_full_at_us = rate_full_at_us - 20000000 where scope_hk = util.hash_key('hasty');
select is((test.route(sha256('hasty/token'))).status, 'routed', 'after the wait it goes on');
select is((test.route(sha256('hasty/token'))).status, 'rate_limited', 'by one');
update ops.scope_state set rate_full_at_us = rate_full_at_us - 600000000 where scope_hk = util.hash_key('hasty');
select is(
    (
        select count(*) filter (where d.status = 'routed') from generate_series(1, 6) as n
        cross join lateral test.route(sha256('hasty/token'), jsonb_build_object('n', n)) as d
    )::integer,
    3, 'a long rest gives no more than a minute''s worth'
);
select * from finish();
rollback;
