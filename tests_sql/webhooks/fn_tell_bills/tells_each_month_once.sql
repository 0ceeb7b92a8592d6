-- Mutants: a bill that is told while a call of its month is under way, again and again, by the month of UTC, of nothing, or
-- to who came later; calls of the new month on it; another tenant's on it.
begin;
select plan(11);
select test.make_offer('maker', 'model-a');
select test.make_tenant('tokyo', '{"time_zone": "Asia/Tokyo"}');
select test.make_customer('c', '{"webhook_url": "https://c.example/hook"}', 'tokyo');
select test.make_customer('quiet', '{"webhook_url": "https://q.example/hook"}', 'tokyo');
select test.make_customer('deaf', '{}', 'tokyo');
select test.make_customer('d', '{"webhook_url": "https://d.example/hook"}', 'london');
create function pg_temp.told() returns text[] language sql as $$
    select array_agg(concat_ws(' ', b.data ->> 'customer', b.data ->> 'month', b.data ->> 'total_usd', b.data ->> 'currency') order by q.msg_id)
    from pgmq.q_webhook as q cross join lateral (select (q.message ->> 'body')::jsonb -> 'data' as data) as b;
$$;
-- The month of Tokyo ends at 15:00 UTC.
select test.book_at('c', '2026-10-31 14:59:59Z'), test.book_at('c', '2026-10-31 15:00:00Z'), test.book_at('d', '2026-10-31 14:59:59Z');
select test.book_at('c', '2026-10-02 08:00Z'), test.book_at('deaf', '2026-10-02 08:00Z');
select is(ops.fn_tell_bills('2026-10-31 14:59Z'), 0, 'the month is not over, and of September there is nothing');
select is(ops.fn_tell_bills('2026-10-31 15:00:30Z'), 0, 'nor is what began in its last second surely there');
insert into ops.reservation (api_request_hk, customer_hk, tenant_hk, token_hk, token_is_limited, reserved_at, deadline,
    queue_name, msg_id, held_usd, markup_percent, day_number, month_number, candidates, request, route_reason)
select '\x01', h.customer_hk, h.tenant_hk, '\x02', false, '2026-10-31 14:58Z', '2026-10-31 15:08Z', 'standard', 1, 0, 0, 0, 0, '[]', '{}', ''
from gateway.customer_h as h where h.customer_bk = 'c';
select is(ops.fn_tell_bills('2026-10-31 15:05Z'), 0, 'not while one of its calls is under way');
delete from ops.reservation;
set local role onevault_owner;
select ops.fn_tell_bills('2026-10-31 15:10Z') as told \gset
reset role;
select is(:told, 1, 'then it is');
select is(pg_temp.told(), '{"c 2026-10 5 USD"}', 'two calls of 2.5, in Tokyo''s month');
select is(ops.fn_tell_bills('2026-10-31 15:20Z'), 0, 'once');
select is(ops.fn_tell_bills('2026-11-01 00:05Z'), 1, 'London is later');
select is(pg_temp.told(), '{"c 2026-10 5 USD","d 2026-10 2.5 USD"}', 'with its own');
update admin.customer set webhook_url = 'https://deaf.example/hook' where customer = 'deaf';
select is(ops.fn_tell_bills('2026-11-03 16:00Z'), 0, 'who listens only later is not told of what is past');
select is(ops.fn_tell_bills('2026-11-30 15:10Z'), 1, 'the next month has the next bill');
select is(pg_temp.told(), '{"c 2026-10 5 USD","d 2026-10 2.5 USD","c 2026-11 2.5 USD"}', 'and no more than that');
select * from finish();
rollback;
