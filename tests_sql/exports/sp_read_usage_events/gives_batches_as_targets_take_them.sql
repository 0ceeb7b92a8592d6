-- Mutants: a batch larger than a target takes, two calls at once for a customer of Stripe, an export that others hold up, one
-- without a key that sends, a refused batch that stays together, a deleted export that sends.
begin;
select plan(20);
select test.make_offer('maker', 'model-a', 1.5, 2), test.make_customer('one'), test.make_customer('two');
select test.make_export('stripe', 'STRIPE', 'CHARGE_USD'), test.make_export('lago', 'LAGO', 'CHARGE_USD');
insert into admin.usage_export (export, kind, event_name) values ('meter', 'OPENMETER', 'used');
insert into admin.usage_export_customer (export, customer, external_id)
select e, c, case e when 'stripe' then 'cus_' when 'lago' then 'sub_' end || c
from unnest('{stripe,lago,meter}'::text[]) as e cross join unnest('{one,two}'::text[]) as c;
select count(test.settle(test.route(sha256('one/token')), '{"input_uncached": 7, "output": 5}')) from generate_series(1, 120);
select test.settle(test.route(sha256('two/token')));

create temporary table batch as select r.*, jsonb_array_length(r.events) as size from gateway.sp_read_usage_events(32, 30) as r;
select results_eq(
    $$select b.kind, b.size, encode(b.key_encrypted, 'escape') from batch as b order by 1, 2$$,
    $$values ('LAGO', 21, 'key of lago'), ('LAGO', 100, 'key of lago'), ('STRIPE', 1, 'key of stripe'), ('STRIPE', 20, 'key of stripe')$$,
    'as many as each takes; without a key nothing goes out'
);
select is(b.endpoint || b.event_name || b.event_value, 'https://api.stripe.comusedCHARGE_USD') from batch as b where b.kind = 'STRIPE' order by b.size limit 1;
select ok(bool_and(b.identity = admin.sp_identify_usage_export(lower(b.kind)))) from batch as b;
select is(
    (select count(distinct e -> 'customer')::integer from batch as b cross join jsonb_array_elements(b.events) as e where b.kind = 'STRIPE' and b.size = 20),
    1, 'of Stripe one customer at a time'
);
select is(
    (select count(distinct e ->> 'id')::integer from batch as b cross join jsonb_array_elements(b.events) as e), 121 + 21, 'nothing twice'
);
-- (7 * 1.5 + 5 * 2) * 1.2 millionths of a dollar
select row_eq(
    $$select e ->> 'customer', e ->> 'value', e ->> 'cents', e ->> 'provider', e ->> 'model',
        abs((e ->> 'at')::bigint - extract(epoch from now())) < 60, e ->> 'time' ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$'
        from batch as b cross join jsonb_array_elements(b.events) as e
        where b.kind = 'LAGO' and e ->> 'customer' = 'sub_one' limit 1$$,
    row('sub_one'::text, '0.0000246'::text, '0.00246'::text, 'maker'::text, 'model-a'::text, true, true), 'names and exact figures'
);
select is(e ->> 'value', '246000', 'which Stripe counts in whole numbers')
from batch as b cross join jsonb_array_elements(b.events) as e where b.kind = 'STRIPE' and e ->> 'customer' = 'cus_one' order by e ->> 'id' limit 1;

create temporary table more as select r.* from gateway.sp_read_usage_events(32, 30) as r;
select is((select count(*)::integer from more), 0, 'who has a call under way gets no second one');
select is(gateway.sp_record_usage_events(jsonb_agg(jsonb_build_object(
    'msg_id', e -> 'msg_id', 'read_ct', e -> 'read_ct', 'http_status', 200
))), 21, 'a batch is booked at once') from batch as b cross join jsonb_array_elements(b.events) as e where b.kind = 'STRIPE';
select is((select count(*)::integer from test.read_events()), 20, 'and then the next go');
-- A batch that is refused without a word about whom.
select gateway.sp_record_usage_events(jsonb_agg(jsonb_build_object(
    'msg_id', e -> 'msg_id', 'read_ct', e -> 'read_ct', 'http_status', 400, 'error_class', 'batch_refused'
))) from batch as b cross join jsonb_array_elements(b.events) as e where b.kind = 'LAGO' and b.size = 21;
create temporary table alone as select r.* from gateway.sp_read_usage_events(32, 30) as r;
select results_eq($$select distinct a.kind, jsonb_array_length(a.events) from alone as a$$, $$values ('LAGO', 1)$$, 'goes one by one');
select is((select count(*)::integer from alone), 7, 'no more than eight at a time');

-- A worker that dies: its hold lapses.
update pgmq.q_usage_event set vt = clock_timestamp() where true;
select is((select max(r.read_ct) from test.read_events() as r), 3, 'what a lost worker held goes out again');
select is((select count(*)::integer from test.read_events()), 0, 'held again');
select admin.sp_set_usage_export_key('meter', '\x01', convert_to('key of meter', 'UTF8'), 'k1');
select results_eq(
    $$select r.customer, count(*)::integer, min(r.value) from test.read_events() as r group by 1 order by 1$$,
    $$values ('one', 120, '12'), ('two', 1, '15')$$, 'with a key its events go, under the customer''s name'
);
update admin.usage_export set is_active = false where export = 'meter';
update pgmq.q_usage_event set vt = clock_timestamp() where true;
select is((select count(*)::integer from test.read_events() as r where r.kind = 'OPENMETER'), 0, 'switched off it rests');
update admin.usage_export set is_active = true, event_name = 'renamed' where export = 'meter';
update admin.usage_export_customer set external_id = 'corrected' where export = 'meter' and customer = 'one';
delete from admin.usage_export_customer where export = 'meter' and customer = 'two';
select set_eq(
    $$select distinct r.customer, r.event_name from test.read_events() as r where r.kind = 'OPENMETER'$$,
    $$values ('corrected', 'renamed'), ('two', 'renamed')$$, 'as it is called when it goes; who was taken off still pays for what he used'
);
delete from admin.usage_export where export = 'meter';
update pgmq.q_usage_event set vt = clock_timestamp() where true;
select is((select count(*)::integer from test.read_events() as r where r.kind = 'OPENMETER'), 0, 'deleted it sends nothing');
select results_eq(
    $$select d.delivery_state, d.last_error_class, count(*)::integer from admin.usage_export_delivery as d where d.export = 'meter' group by 1, 2$$,
    $$values ('FAILED', 'no_export', 121)$$, 'and what waited is given up'
);
select is((select count(*)::integer from ops.sealed_secret as s where s.kind = 'export key'), 2, 'its key is nobody''s any more');
select * from finish();
rollback;
