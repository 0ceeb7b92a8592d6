-- Mutants: no lanes, lanes that waiting events fill, a customer that others hold up, an unsigned event that goes out.
begin;
select plan(12);
select test.make_customer(c, '{"webhook_url": "https://example.com/hook"}') from unnest('{busy,calm}'::text[]) as c;
select admin.sp_set_webhook_secret(c, admin.sp_identify_webhook_secret(c), '\x01', convert_to(c, 'UTF8'), 'k1', '0')
from unnest('{busy,calm}'::text[]) as c;
select gateway.fn_notify(util.hash_key('busy'), 'bill.ready', '{}') from generate_series(1, 50);
select gateway.fn_notify(util.hash_key('calm'), 'bill.ready', '{}');
create temporary table held as select r.* from gateway.sp_read_webhooks(20, 30) as r;
select is(count(*) filter (where h.secrets = array[convert_to('busy', 'UTF8')])::integer, 4, 'four of a customer at once')
from held as h;
select is(count(*) filter (where h.secrets = array[convert_to('calm', 'UTF8')])::integer, 1, 'the other is not kept waiting')
from held as h;
select ok(bool_and(abs(h.sent_at - extract(epoch from clock_timestamp())) < 60), 'the time is the database''s') from held as h;
select is_empty('select r.* from gateway.sp_read_webhooks(20, 30) as r', 'as long as they are under way there are no more');
select is(gateway.sp_record_webhook(h.msg_id, h.read_ct, 500, null, 1, null), 'RETRY')
from held as h where h.secrets = array[convert_to('busy', 'UTF8')] order by h.msg_id limit 1;
select is(
    (select count(*)::integer from gateway.sp_read_webhooks(20, 30) as r), 1, 'one that waits for its next try holds up none'
);

-- A worker that dies: its hold lapses.
delete from pgmq.q_webhook where last_read_at is null;
update pgmq.q_webhook set vt = clock_timestamp() where true;
select is(
    (select count(*)::integer from gateway.sp_read_webhooks(20, 30) as r where r.read_ct = 2), 5, 'what a lost worker held goes out again'
);

select test.make_customer('unsigned', '{"webhook_url": "https://example.com/hook"}');
select gateway.fn_notify(util.hash_key('unsigned'), 'bill.ready', '{}');
delete from pgmq.q_webhook where message ->> 'customer' <> encode(util.hash_key('unsigned'), 'hex');
select is_empty('select r.* from gateway.sp_read_webhooks(20, 30) as r', 'nothing goes out unsigned');
select is(d.last_error_class, 'no_secret', 'and that can be seen') from admin.webhook_delivery as d where d.customer = 'unsigned';
select admin.sp_set_webhook_secret('unsigned', admin.sp_identify_webhook_secret('unsigned'), '\x01', '\x02', 'k1', '0');
select is((select count(*)::integer from gateway.sp_read_webhooks(20, 30) as r), 1, 'with a secret it goes at once');
update pgmq.q_webhook set vt = clock_timestamp() where true;
update admin.customer set webhook_url = null where customer = 'unsigned';
select is_empty('select r.* from gateway.sp_read_webhooks(20, 30) as r', 'without an address');
select is(d.delivery_state, 'FAILED', 'it is given up') from admin.webhook_delivery as d where d.customer = 'unsigned';
select * from finish();
rollback;
