begin;
select plan(25);
select test.make_offer('maker', 'model-a', 1, 2, '{"quality_score": 1}');
select test.make_provider('maker', '{"compliance_levels": ["HIPAA"]}');
select test.make_customer('ours', '{"compliance_level": "HIPAA"}', 'tenant a'), test.make_customer('theirs', '{}', 'tenant b');
select test.settle(test.route(sha256('ours/token'), '{"model": "model-a"}')), test.settle(test.route(sha256('theirs/token'), '{"model": "model-a"}'));
insert into admin.usage_limit (customer, unit, period, amount) values ('ours', 'USD', 'DAY', 9), ('theirs', 'USD', 'DAY', 9);
select gateway.sp_record_feedback(t.token_hash, encode(s.api_request_hk, 'hex')::uuid::text, 1)
from gateway.api_request_s as s
cross join (values (sha256('ours/token')), (sha256('theirs/token'))) as t (token_hash);
insert into admin.credit (customer, credit_kind, amount_usd) values ('ours', 'PREPAID', 9), ('theirs', 'PROMOTION', 9);
select test.booked('ours', '2026-01-15 10:00Z', 1), test.booked('theirs', '2026-01-15 10:00Z', 1);
select gateway.sp_close_month('2026-01-01');
update admin.price set usd_per_million = 3 where provider = 'maker' and meter = 'output';
select gateway.sp_rerate((now() at time zone 'UTC')::date, 'test', null, true);
select test.roll_up();
select ops.fn_roll_up_spending();
select test.settle(test.route(sha256('ours/token'))), test.settle(test.route(sha256('theirs/token')));
-- Every view that names customers, whoever is behind it.
select is(
    test.read_as('onevault_bi', 'tenant a', format(
        'select string_agg(distinct v.tenant || ''/'' || v.customer, '','') from business_vault.%I as v', c.relname
    )), 'tenant a/ours', c.relname || ' shows one tenant'
)
from pg_catalog.pg_class as c
where
    c.relnamespace = 'business_vault'::regnamespace and c.relkind = 'v'
    and exists (select from pg_catalog.pg_attribute as a where a.attrelid = c.oid and a.attname = 'customer')
order by c.relname;
select is(
    test.read_as('onevault_bi', null, 'select count(*) from business_vault.usage_hourly'), '0', 'without a tenant, nothing is seen'
);
select is(
    test.read_as('onevault_bi', 'no such tenant', 'select count(*) from business_vault.request_detail'), '0', 'nor with an unknown one'
);
select is(
    test.read_as('onevault_dba', null, 'select count(distinct u.tenant) from business_vault.usage_hourly as u'), '2',
    'a DBA sees all'
);
select is(
    test.read_as('onevault_dba', 'tenant b', 'select count(distinct u.tenant) from business_vault.usage_hourly as u'), '1',
    'or the tenant that he names'
);
select is(
    test.read_as('onevault_owner', null, 'select count(*) from business_vault.usage_hourly as u'), '0',
    'a door that forgets the tenant sees nothing'
);
select throws_ok(
    $$select test.read_as('onevault_bi', 'tenant a', 'select count(*) from gateway.api_request_s')$$, '42501', null,
    'BI has no table'
);
select throws_ok(
    $$select test.read_as('onevault_reader', 'tenant a', 'select count(s.token_digest) from gateway.token_s as s')$$, '42501', null,
    'and behind its views is no secret'
);
select * from finish();
rollback;
