-- Mutants: a correction that an export of tokens is told of, or one that never heard of the charge, or is switched off; one without what it
-- corrects, of the request's time, twice; one that outlives its adjustment.
begin;
select plan(19);
select test.make_offer('maker', 'model-a', 1, 2);
select test.make_customer('payer', '{"markup_percent": 20}'), test.make_customer('guest', '{"markup_percent": -100}'), test.make_customer('nobody');
select test.make_export('usd', 'LAGO', 'CHARGE_USD'), test.make_export('st', 'STRIPE', 'CHARGE_USD'), test.make_export('tok', 'OPENMETER'),
    test.make_export('off', 'LAGO', 'CHARGE_USD');
insert into admin.usage_export_customer (export, customer, external_id)
select e, 'payer', 'cus_payer' from unnest('{usd,st,tok,off}'::text[]) as e;
insert into admin.usage_export_customer (export, customer, external_id) values ('usd', 'guest', 'cus_guest');
create function test.correct(p_usd numeric) returns void language sql as $$
    update admin.price set usd_per_million = p_usd where model = 'model-a' and meter = 'output';
$$;
create function test.rerate() returns bigint language sql as $$
    select sum(r.requests)::bigint from gateway.sp_rerate((now() at time zone 'UTC')::date, 'the price was wrong', null, true) as r;
$$;
select test.settle(test.route(sha256('payer/token'))), test.settle(test.route(sha256('guest/token'))), test.settle(test.route(sha256('nobody/token')));
update gateway.api_request_s set request_timestamp = request_timestamp - interval '1 hour' where customer_hk = util.hash_key('payer');
-- One that heard of the calls and is off by now, and one that did not.
update admin.usage_export set is_active = false where export = 'off';
select test.make_export('new', 'LAGO', 'CHARGE_USD');
insert into admin.usage_export_customer (export, customer, external_id) values ('new', 'payer', 'cus_payer');
create temporary table told as select count(*)::integer as events from gateway.usage_event_l;
select is(t.events, 4, 'the charges are told') from told as t;

create function pg_temp.fail_after_rating() returns void language plpgsql as $$
begin
    perform test.correct(1), test.rerate();
    if (select count(*) from gateway.usage_event_l) <> 6 then
        raise exception 'no event';
    end if;
    raise exception 'no';
end
$$;
select throws_ok('select pg_temp.fail_after_rating()', 'no');
select is((select count(*)::integer from gateway.usage_event_l), 4, 'what is rolled back corrects nothing');
select test.correct(1);
select is(test.rerate(), 3::bigint, 'rated again');
select results_eq(
    $$select d.export, d.value, d.request_id = uuid(encode(s.api_request_hk, 'hex')), d.corrects, d.delivery_state
        from admin.usage_export_delivery as d cross join gateway.api_request_s as s
        where d.corrects is not null and s.customer_hk = util.hash_key('payer') order by d.export$$,
    $$select e, -0.000006, true, encode(s.api_request_hk, 'hex')::uuid::text || ':' || e, 'WAITING'
        from unnest('{st,usd}'::text[]) as e cross join gateway.api_request_s as s where s.customer_hk = util.hash_key('payer') order by e$$,
    'who was told of the charge in money is told what it was corrected by'
);
select is((select count(*)::integer from pgmq.q_usage_event), 6, 'and it waits');
select is_empty($$select d.event_id from admin.usage_export_delivery as d group by d.event_id having count(*) > 1$$, 'each under an id of its own');
select is(
    (select d.event_id from admin.usage_export_delivery as d where d.export = 'usd' and d.corrects is not null),
    (select encode(j.adjustment_hk, 'hex')::uuid::text || ':usd' from gateway.charge_adjustment_s as j where j.customer_hk = util.hash_key('payer')),
    'which is the adjustment''s'
);
create temporary table sent as select r.* from test.read_events() as r where r.event ->> 'corrects' is not null;
select results_eq(
    $$select s.kind, s.customer, s.value, s.event ->> 'cents', s.event ->> 'model',
        abs((s.event ->> 'at')::bigint - extract(epoch from now())) < 60 from sent as s order by s.kind$$,
    $$values ('LAGO', 'cus_payer', '-0.000006', '-0.0006', 'model-a', true), ('STRIPE', 'cus_payer', '-60000', '-0.0006', 'model-a', true)$$,
    'exact, of the moment of its correction'
);
select is(
    (select s.event ->> 'corrects' from sent as s where s.kind = 'LAGO'),
    (select d.corrects from admin.usage_export_delivery as d where d.export = 'usd' and d.corrects is not null), 'and which event it corrects'
);
select is(test.rerate(), null, 'rated once more');
select is((select count(*)::integer from gateway.usage_event_l), 6, 'nothing is told');
select test.tell(q.msg_id, q.read_ct, 422) from pgmq.q_usage_event as q;
select is(admin.resend_usage_events('st', d.event_id), 1, 'what is refused is sent again by its id')
from admin.usage_export_delivery as d where d.export = 'st' and d.corrects is not null;
-- What only the house pays more for is nobody's correction; nor is what is left of nothing.
select is((select count(*)::integer from gateway.usage_event_l as l where l.customer_hk = util.hash_key('guest')), 0, 'who pays nothing is told nothing');
insert into gateway.charge_adjustment_s (
    customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
    new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
)
select s.customer_hk, s.tenant_hk, s.api_request_hk, date_trunc('month', now())::date, 0, 1, 1, 0, 0, 0, 2, 2, 0, '{}',
    'it was free by mistake', uuidv7(), 'test'
from gateway.api_request_s as s where s.customer_hk = util.hash_key('guest');
select results_eq(
    $$select d.value, d.corrects is not null from admin.usage_export_delivery as d where d.customer = 'guest'$$, $$values (2::numeric, true)$$,
    'what was free and is charged now is told'
);
delete from admin.usage_export_customer where export = 'usd' and customer = 'payer';
select test.correct(3);
select test.rerate();
select is(
    (select sum(d.value) from admin.usage_export_delivery as d where d.export = 'usd' and d.customer = 'payer'), 0.00003,
    'who was taken off is told of what was told before'
);
select is(
    (select sum(d.value) from admin.usage_export_delivery as d where d.export = 'st'),
    (select trim_scale(sum(s.customer_cost + j.delta)) from gateway.api_request_s as s
        cross join lateral (select sum(a.delta_charge) as delta from gateway.charge_adjustment_s as a where a.api_request_hk = s.api_request_hk) as j
        where s.customer_hk = util.hash_key('payer')), 'all that was told is what is charged'
);
select throws_ok($$update gateway.usage_event_l set event_value = -1 where refers_to_hk is null$$, '23514', null, 'a charge is no gift');
select is((select count(*)::integer from gateway.usage_event_l as l inner join gateway.usage_export_h as h on l.usage_export_hk = h.usage_export_hk
    where l.refers_to_hk is not null and h.usage_export_bk in ('new', 'off', 'tok')), 0, 'nobody else is told');
select * from finish();
rollback;
