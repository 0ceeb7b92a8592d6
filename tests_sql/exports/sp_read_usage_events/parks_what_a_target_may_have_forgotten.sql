-- Mutants: an event that goes out again after the day in which its id is known, one that was never tried and is parked.
begin;
select plan(6);
select test.make_offer('maker', 'model-a', 1, 2), test.make_customer('one');
select test.make_export('stripe', 'STRIPE'), test.make_export('lago', 'LAGO'), test.make_export('meter', 'OPENMETER');
insert into admin.usage_export_customer (export, customer, external_id)
select e, 'one', case e when 'stripe' then 'cus_' else '' end || 'one' from unnest('{stripe,lago,meter}'::text[]) as e;
select count(test.settle(test.route(sha256('one/token')))) from generate_series(1, 3);
create function pg_temp.kinds() returns text language sql as $$
    select string_agg(k.kind || ' ' || k.events, ', ' order by k.kind)
    from (select r.kind, count(*) as events from test.read_events() as r group by r.kind) as k;
$$;
select is(pg_temp.kinds(), 'LAGO 3, OPENMETER 3, STRIPE 3', 'what was never tried goes out');

-- The workers died with all of it in hand, and came back the next day.
update pgmq.q_usage_event set vt = clock_timestamp(), last_read_at = last_read_at - interval '22 hours 59 minutes' where true;
select is(pg_temp.kinds(), 'LAGO 3, OPENMETER 3, STRIPE 3', 'within the day it goes out again');
update pgmq.q_usage_event set vt = clock_timestamp(), last_read_at = last_read_at - interval '23 hours 1 minute' where true;
select test.settle(test.route(sha256('one/token')));
select is(pg_temp.kinds(), 'LAGO 4, OPENMETER 1, STRIPE 1', 'then only where its id is known for ever, and what is new');
select results_eq(
    $$select d.export, d.delivery_state, d.last_error_class, count(*)::integer from admin.usage_export_delivery as d
        where d.delivery_state = 'FAILED' group by 1, 2, 3 order by 1$$,
    $$values ('meter', 'FAILED', 'overdue', 3), ('stripe', 'FAILED', 'overdue', 3)$$, 'the rest is for somebody to look at'
);

-- One that failed, and whose export was off over the weekend.
select test.tell(q.msg_id, q.read_ct, null, 'timeout') from pgmq.q_usage_event as q;
update pgmq.q_usage_event set vt = clock_timestamp(), message = message || jsonb_build_object('begun', (message ->> 'begun')::bigint - 200000) where true;
select is(pg_temp.kinds(), 'LAGO 4', 'so is what was tried before');
select is(admin.resend_usage_events('stripe'), 4, 'and goes out again when somebody says so');
select * from finish();
rollback;
