begin;
select plan(9);
set local role onevault_dba;
insert into admin.tenant (tenant) values ('dba tenant');
insert into admin.customer (customer, tenant) values ('dba customer', 'dba tenant');
insert into admin.provider (provider, api_endpoint, needs_key) values ('dba-provider', 'http://127.0.0.1:9/v1', false);
insert into admin.model (provider, model) values ('dba-provider', 'dba-model');
insert into admin.price (provider, model, meter, usd_per_million)
values ('dba-provider', 'dba-model', 'input', 1), ('dba-provider', 'dba-model', 'output', 1);
insert into admin.routing_rule (rule_name, target_provider) values ('dba rule', 'dba-provider');
update admin.customer set cost_budget_daily = 1 where customer = 'dba customer';
select token_id from admin.sp_issue_token('dba customer', sha256('dba'), 'ov_', '\x00');
select provider from admin.explain_route('dba customer');
select check_name from admin.sp_check_house();
select count(*) from admin.customer_history;
insert into admin.compliance_fact (provider, model, compliance_level) values ('dba-provider', 'dba-model', 'BAA');
insert into admin.routing_rule_test (test_name, customer, expected_provider) values ('dba test', 'dba customer', 'dba-provider');
insert into admin.plan (plan, monthly_fee_usd) values ('dba plan', 10);
insert into admin.subscription (customer, plan) values ('dba customer', 'dba plan');
insert into admin.tax_rate (tax, valid_from, tax_percent) values ('dba tax', '2026-01-01', 19);
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2026-01-01', 0.9);
insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix) values ('dba entity', 'DBA', 'DBA');
insert into admin.billing_profile (customer, legal_entity, tax, currency) values ('dba customer', 'dba entity', 'dba tax', 'EUR');
select plan from admin.change_plan('dba customer', 'dba plan', 'priority_support');
insert into admin.charge_rule (charge_rule, customer, plan, markup_percent) values ('dba prices', 'dba customer', 'dba plan', 30);
insert into admin.credit (customer, credit_kind, amount_usd) values ('dba customer', 'PROMOTION', 5);
insert into admin.usage_limit (customer, unit, period, amount) values ('dba customer', 'USD', 'TOTAL', 1000);
insert into admin.usage_export (export, kind, event_name) values ('dba-export', 'LAGO', 'used');
insert into admin.usage_export_customer (export, customer, external_id) values ('dba-export', 'dba customer', 'sub');
select count(*), admin.resend_usage_events('dba-export') from admin.usage_export_delivery;
select count(*) from admin.test_rules();
select count(*) from admin.config_diff(now() - interval '1 hour', clock_timestamp());
select admin.restore('routing_rule', 'dba rule', clock_timestamp());
select throws_ok($$insert into admin.token (customer) values ('dba customer')$$, 'VG400',
    'SQL cannot make a token: the database never sees one', 'what SQL cannot make is refused with a remedy, a token');
select throws_ok($$insert into admin.provider_key (customer, provider) values ('dba customer', 'dba-provider')$$, 'VG400',
    'SQL cannot set a key: it would stand in logs, unsealed', 'and a key');
reset role;
select is((test.route(sha256('dba'))).provider, 'dba-provider', 'what he made serves');
create temporary table made as select to_jsonb(test.route(sha256('dba'))) as d;
select test.settle(test.decision(m.d)) from made as m;
select is(
    test.read_as('onevault_dba', null, format(
        'select r.is_same and w.said like ''%%dba rule%%'' and m.calls = 1 from admin.replay(%1$L) as r,
            lateral (select string_agg(y::text, '' '') as said from admin.why(%1$L) as y) as w,
            lateral (select count(*) as calls from admin.what_if(now() - interval ''1 hour'', now() + interval ''1 hour'') as f
                where f.customer = ''dba customer'') as m', (m.d ->> 'request_id')::uuid
    )), 'true', 'and he can prove why'
) from made as m;
set local role onevault_dba;
delete from admin.customer where customer = 'dba customer';
delete from admin.provider where provider = 'dba-provider';
reset role;
select throws_ok($$set local role onevault_dba; select * from gateway.token_s$$, '42501', null, 'the vault itself is closed to him');
reset role;
select throws_ok($$set local role onevault_dba; select util.fn_close_satellite('gateway.token_s', '{}')$$, '42501', null, 'so are the loaders');
reset role;
select throws_ok($$set local role onevault_dba; update ops.job set is_active = false$$, '42501', null, 'the hot state is to look at');
reset role;
create temporary view closed_to_him as
select c.oid::regclass as name from pg_catalog.pg_class as c
where c.relnamespace = any('{auth,gateway,ops,pgmq}'::regnamespace[]) and c.relkind in ('r', 'p', 'v', 'm')
    and pg_catalog.has_any_column_privilege('onevault_dba', c.oid, 'INSERT, UPDATE');
select is_empty($$select c.name from closed_to_him as c where c.name <> 'ops.admission'::regclass$$, 'no fact of the past can be written');
select is_empty(
    $$select c.oid::regclass from pg_catalog.pg_class as c
        where c.relnamespace = any('{auth,gateway,pgmq}'::regnamespace[]) and pg_catalog.has_any_column_privilege('onevault_dba', c.oid, 'SELECT')
        union all
        select t::regclass from unnest('{ops.reservation,ops.past,ops.conversation,ops.principal,ops.idempotency_key}'::regclass[]) as t
        where pg_catalog.has_any_column_privilege('onevault_dba', t, 'SELECT')$$,
    'nor a secret, a digest or a queue be read'
);
select * from finish();
rollback;
