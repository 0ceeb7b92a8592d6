-- Mutants: an event that stays when its cause is rolled back, one for a customer without an address, a payload of any size.
begin;
select plan(11);
select test.make_customer('told', '{"webhook_url": "https://example.com/hook"}');
select test.make_customer('silent');

create function pg_temp.fail_after_telling() returns void language plpgsql as $$
begin
    perform gateway.fn_notify(util.hash_key('told'), 'bill.ready', '{}');
    raise exception 'no';
end
$$;
select throws_ok('select pg_temp.fail_after_telling()', 'no');
select is((select count(*)::integer from pgmq.q_webhook), 0, 'what is rolled back is told to nobody');
select is((select count(*)::integer from admin.webhook_delivery), 0, 'and never happened');

select is(gateway.fn_notify(util.hash_key('silent'), 'bill.ready', '{}'), null, 'no address, no event');
select is(gateway.fn_notify(util.hash_key('nobody'), 'bill.ready', '{}'), null, 'nor for somebody who is not there');
select is((select count(*)::integer from admin.webhook_delivery), 0, 'and no row');

select matches(
    gateway.fn_notify(util.hash_key('told'), 'bill.ready', '{"month": "2026-11", "customer": "forged", "total_usd": 12.340}'),
    '^evt_[0-9a-f]{32}$', 'an event has an id'
);
select is(
    (q.message ->> 'body')::jsonb - 'timestamp',
    '{"type": "bill.ready", "data": {"month": "2026-11", "customer": "told", "total_usd": 12.340}}'::jsonb,
    'what is sent names the customer, and every digit'
)
from pgmq.q_webhook as q;
select row_eq(
    $$select d.customer, d.event_type, d.delivery_state, d.attempts from admin.webhook_delivery as d$$,
    row('told'::text, 'bill.ready'::text, 'WAITING'::text, 0), 'it waits, for every DBA to see'
);
select throws_ok(
    $$select gateway.fn_notify(util.hash_key('told'), 'bill.ready', jsonb_build_object('x', repeat('x', 20000)))$$,
    'VG400', null, 'payloads are thin'
);
select throws_ok(
    $$select gateway.fn_notify(util.hash_key('told'), 'Bill Ready', '{}')$$, '23514', null, 'types are words with full stops'
);
select * from finish();
rollback;
