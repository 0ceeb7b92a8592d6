-- Mutants: an event without an export or of a switched-off one, of a customer or tenant whom it does not concern, one
-- that outlives its charge, a value that lost a digit, one tenant's events in another's sight.
begin;
select plan(20);
select test.make_offer('maker', 'model-a', 1.23456789, 2);
select test.make_customer('payer', '{"markup_percent": 33.3333}'), test.make_customer('other'), test.make_customer('far', '{}', 'far tenant');

select test.settle(test.route(sha256('payer/token')));
select is((select count(*) from gateway.usage_event_l), 0::bigint, 'without an export nothing is written');
select is((select count(*) from pgmq.q_usage_event), 0::bigint, 'nowhere');

select test.make_export('tok', 'STRIPE'), test.make_export('usd', 'LAGO', 'CHARGE_USD'), test.make_export('req', 'OPENMETER', 'REQUESTS'),
    test.make_export('near', 'OPENMETER', 'TOKENS', 'test tenant'), test.make_export('off', 'LAGO');
update admin.usage_export set is_active = false where export = 'off';
select test.settle(test.route(sha256('payer/token')));
select is((select count(*) from gateway.usage_event_l), 0::bigint, 'nor of a customer who has no id there');

insert into admin.usage_export_customer (export, customer, external_id)
values ('tok', 'payer', 'cus_1'), ('usd', 'payer', 'sub_1'), ('req', 'payer', null), ('near', 'payer', null), ('off', 'payer', 'sub_2'),
    ('req', 'far', null);
create function pg_temp.fail_after_booking() returns void language plpgsql as $$
begin
    perform test.settle(test.route(sha256('payer/token')));
    if (select count(*) from gateway.usage_event_l) <> 4 then
        raise exception 'no event';
    end if;
    raise exception 'no';
end
$$;
select throws_ok('select pg_temp.fail_after_booking()', 'no');
select is((select count(*) from gateway.usage_event_l), 0::bigint, 'what is rolled back is no event');
select is((select count(*) from pgmq.q_usage_event), 0::bigint, 'and waits for nobody');

create temporary table receipt as select test.settle(test.route(sha256('payer/token')), '{"input_uncached": 11, "output": 5}') as r;
select set_eq(
    $$select d.export, d.value, d.event_id from admin.usage_export_delivery as d$$,
    $$select e.export, e.value, (r.r ->> 'request_id') || ':' || e.export from receipt as r
        cross join lateral (values ('tok', 16::numeric), ('usd', (r.r #>> '{cost,customer}')::numeric), ('req', 1), ('near', 16)) as e (export, value)$$,
    'each active export counts in its own way, with every digit'
);
select is((select count(*)::integer from pgmq.q_usage_event), 4, 'and each waits');
select is_empty(
    $$select m.message from pgmq.q_usage_event as m where m.message - '{request,export,customer,lane}'::text[] <> '{}'$$,
    'what waits holds keys and nothing else'
);
-- As if he had been put there before: no trigger would let him in.
select util.fn_load_hub('gateway.usage_export_customer_l', '\x01', null, 'test', jsonb_build_object(
    'usage_export_hk', admin.sp_identify_usage_export('near'), 'customer_hk', util.hash_key('far'), 'tenant_hk', util.hash_key('far tenant')
));
select util.fn_load_satellite('gateway.usage_export_customer_s', '{"usage_export_customer_hk": "\\x01"}', '{"external_id": "far"}', 'test');
select test.settle(test.route(sha256('other/token')));
select test.settle(test.route(sha256('far/token')));
select set_eq(
    $$select d.customer, d.export from admin.usage_export_delivery as d where d.customer <> 'payer'$$,
    $$values ('far', 'req')$$, 'others are told of where they stand'
);
select test.settle(test.route(sha256('payer/token')), '{"input_uncached": 0, "output": 0}');
select is(
    (select count(*)::integer from admin.usage_export_delivery as d where d.customer = 'payer'), 5,
    'what used nothing is a request and neither tokens nor money'
);
create temporary table failed as select to_jsonb(test.route(sha256('payer/token'))) as d;
select gateway.sp_read_messages(10, 60);
select gateway.sp_record_result(test.make_result(test.decision(f.d), jsonb_build_array(test.one_attempt(
    test.decision(f.d), null, '{"outcome": "ERROR", "class": "server_error", "http_status": 500, "output_bytes": 0, "usage_source": null}'
)), '{"status": "ERROR", "class": "server_error"}')) ->> 'settled' as settled from failed as f \gset
select ok(:'settled', 'a failure is booked');
select is((select count(*)::integer from admin.usage_export_delivery as d where d.customer = 'payer'), 5, 'and is no event');

select is((select count(*) from pgmq.q_usage_event), (select count(*) from gateway.usage_event_l), 'nor waits anything else');
-- A batch whose neighbour does not concern anybody.
create temporary table batch as
select to_jsonb(test.route(sha256(convert_to(c || '/token', 'UTF8')))) as d from unnest('{payer,other}'::text[]) as c;
select gateway.sp_read_messages(10, 60);
select gateway.sp_record_results(jsonb_agg(test.make_result(test.decision(b.d), jsonb_build_array(
    test.one_attempt(test.decision(b.d), '{"input_uncached": 1, "output": 1}')
)))) from batch as b;
select is((select count(*)::integer from admin.usage_export_delivery as d where d.customer = 'payer'), 9, 'of a batch too');

set local role onevault_owner;
grant execute on function util.fn_sees_all_tenants(), util.fn_may_see_all_tenants(name, name), util.fn_current_tenant(),
    util.fn_choose_tenant(name, name, text) to onevault_reader;
grant select on gateway.usage_event_l, gateway.usage_export_customer_l, gateway.usage_export_s to onevault_reader;
reset role;
select is(test.read_as('onevault_reader', 'test tenant', 'select count(*) from gateway.usage_event_l'), '9', 'a tenant''s events');
select is(test.read_as('onevault_reader', 'far tenant', 'select count(*) from gateway.usage_event_l'), '1', 'are his alone');
select is(test.read_as('onevault_reader', 'far tenant', 'select count(*) from gateway.usage_export_customer_l'), '2', 'as are his ids');
select is(test.read_as('onevault_reader', 'far tenant', 'select count(*) from gateway.usage_export_s'), '0', 'and exports');
delete from admin.customer where customer = 'payer';
select is((select count(*)::integer from admin.usage_export_customer as c where c.customer = 'payer'), 0, 'ids go with their customer');
select * from finish();
rollback;
