-- Mutants: a delay that does not grow, one without jitter or cap, a 410 that is tried again, a book without a fence.
begin;
select plan(24);
select test.make_customer('told', '{"webhook_url": "https://example.com/hook"}');

-- Reads an event until its n-th try, and books how that ended.
create function pg_temp.try(p_times integer, p_status integer, p_class text default null, p_retry_after_ms bigint default null)
returns text language plpgsql as $$
declare
    v_state text;
begin
    for i in 1..p_times loop
        update pgmq.q_webhook set read_ct = read_ct + 1, last_read_at = clock_timestamp() where true;
        select gateway.fn_book_webhook(q.msg_id, q.read_ct, p_status, p_class, 7, p_retry_after_ms) into v_state
        from pgmq.q_webhook as q;
    end loop;
    return v_state;
end
$$;
create function pg_temp.delay() returns numeric language sql as $$
    select extract(epoch from q.vt - clock_timestamp()) from pgmq.q_webhook as q;
$$;

select gateway.fn_notify(util.hash_key('told'), 'bill.ready', '{}');
select is(pg_temp.try(1, 500), 'RETRY', 'what fails is tried again');
select ok(pg_temp.delay() between 3.5 and 6, 'in about five seconds');
select row_eq(
    $$select d.delivery_state, d.attempts, d.last_http_status, d.last_error_class, d.last_latency_ms, d.next_try_at > now(),
        d.delivered_at from admin.webhook_delivery as d$$,
    row('WAITING'::text, 1, 500, 'server_error'::text, 7, true, null::timestamptz), 'and that can be seen'
);
select is(pg_temp.try(1, null, 'connect'), 'RETRY', 'as is what was not answered');
select ok(pg_temp.delay() between 11.5 and 18, 'three times later');
select is(pg_temp.try(1, 503, null, 600000), 'RETRY');
select ok(pg_temp.delay() between 599 and 601, 'or as late as the endpoint asks');
select is(pg_temp.try(1, 503, null, 999999999999), 'RETRY');
select ok(pg_temp.delay() < 21601, 'but not later than six hours');
select is(pg_temp.try(7, 500), 'RETRY', 'eleven times');
select ok(pg_temp.delay() between 17279 and 25921, 'the longest wait is six hours, more or less');
select is(pg_temp.try(1, 500), 'FAILED', 'and after the twelfth time no more');
select is((select count(*)::integer from pgmq.q_webhook), 0, 'nothing is left of it');
select row_eq(
    $$select d.delivery_state, d.attempts, d.next_try_at from admin.webhook_delivery as d$$,
    row('FAILED'::text, 12, null::timestamptz), 'but that it failed'
);
select ok(
    (select sum(extract(epoch from gateway.fn_delay_webhook(n))) from generate_series(1, 11) as n) between 18 * 3600 and 28 * 3600,
    'all tries take about a day'
);
select cmp_ok((select count(distinct gateway.fn_delay_webhook(5)) from generate_series(1, 5)), '>', 1::bigint, 'they spread');

select gateway.fn_notify(util.hash_key('told'), 'bill.ready', '{}');
select is(pg_temp.try(1, 410), 'FAILED', 'gone is gone at once');
select gateway.fn_notify(util.hash_key('told'), 'webhook.test', '{}');
select is(pg_temp.try(1, 500), 'FAILED', 'a test is tried once');
select gateway.fn_notify(util.hash_key('told'), 'bill.ready', '{}');
select is(pg_temp.try(1, 302), 'RETRY', 'a redirect is a failure');
select gateway.fn_book_webhook(q.msg_id, q.read_ct - 1, 200, null, 1) is null as fenced from pgmq.q_webhook as q \gset
select ok(:'fenced', 'whoever had it before books nothing');
select is(pg_temp.try(1, 204), 'DELIVERED', 'every 2xx is a delivery');
select is(
    (select count(*)::integer from admin.webhook_delivery as d where d.delivered_at is not null and d.remedy is null), 1,
    'with its time'
);
select is((select count(*)::integer from pgmq.q_webhook), 0, 'and over');
select is_empty(
    $$select d.error_class from gateway.webhook_delivery_s as d
        where d.error_class is not null and (admin.fn_explain_webhook(d.error_class)).remedy is null$$,
    'each class says what to do'
);
select * from finish();
rollback;
