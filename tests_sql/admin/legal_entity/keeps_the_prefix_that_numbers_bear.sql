begin;
select plan(5);
select test.make_customer('buyer');
update admin.legal_entity set invoice_prefix = 'NEW', legal_name = 'New' where legal_entity = 'house';
select is((select e.invoice_prefix from admin.legal_entity as e), 'NEW', 'before any number');
insert into gateway.invoice_h (invoice_hk, invoice_bk, customer_hk, tenant_hk, record_source)
select 'i', 'buyer|2026-01|1', h.customer_hk, h.tenant_hk, 'test' from gateway.customer_h as h where h.customer_bk = 'buyer';
insert into gateway.invoice_s (
    invoice_hk, hash_diff, invoice_kind, invoice_status, billing_period, legal_entity_hk, invoice_number, known_at, lines_load_date, issued_on,
    currency, units_per_usd, decimals, seller, buyer, usage, exact_usd, subtotal, tax_total, total, record_source
) values (
    'i', 'x', 'INVOICE', 'FINAL', '2026-01-01', util.hash_key('house'), 'NEW-2026-000001', now(), now(), '2026-02-01',
    'USD', 1, 2, '{}', '{}', '{}', 0, 0, 0, 0, 'test'
);
select throws_ok($$update admin.legal_entity set invoice_prefix = 'OTHER'$$, 'VG409', 'Invoices bear the prefix NEW already', 'not after one');
select lives_ok($$update admin.legal_entity set invoice_prefix = 'new', legal_name = 'Newer'$$, 'all else changes');
select admin.restore('legal_entity', 'house', (select min(h.load_date) from admin.legal_entity_history as h));
select results_eq($$select e.legal_name, e.invoice_prefix, e.is_default from admin.legal_entity as e$$,
    $$values ('OneVault AI Gateway', 'NEW', true)$$, 'what is restored keeps it, too');
select is((select count(*) from admin.config_history as c where c.thing = 'legal_entity' and c.name = 'house'), 4::bigint, 'every version is kept');
select * from finish();
rollback;
