begin;
select plan(9);
select test.make_offer('openai', 'gpt-4');
select test.make_tenant('clinic', '{"time_zone": "Europe/Berlin"}');
select test.make_customer('ward', '{}', 'clinic');
insert into admin.subscription (customer, plan, valid_from)
select 'ward', p.plan, '2026-01-01' from unnest('{analytics,advanced_routing,compliance_reporting}'::text[]) as p (plan);
select test.book_at('ward', '2026-02-05 10:00Z', '{"input_uncached_tokens": 600000, "output_tokens": 400000, "provider_cost": 60,
    "gateway_markup": 20, "customer_cost": 80}', '{}', 'openai', 'gpt-4');
insert into gateway.month_close_s (tenant_hk, billing_period, invoices, record_source) values (util.hash_key('clinic'), '2026-01-01', 0, 'test');
select is((admin.sp_read_bill('ward', '2026-02-01') - 'lines') ->> 'status', 'draft', 'before the close it is a draft');
select results_eq(
    $$select c.customer, c.invoice_number ~ '^OV-[0-9]{4}-[0-9]{6}$', c.status, c.total, c.currency
        from gateway.sp_close_month('2026-02-01', 'clinic') as c$$,
    $$values ('ward', true, 'final', '430.00', 'USD')$$, 'closed: 430 dollars'
);
select results_eq(
    $$select l.* from test.lines_of('ward', '2026-02-01') as l$$,
    $$values ('USAGE', 'openai/gpt-4', 80::numeric), ('SERVICE', 'Compliance Reporting (HIPAA)', 200),
        ('SERVICE', 'Real-time Analytics Dashboard', 50), ('SERVICE', 'Smart Routing & Optimization', 100)$$,
    'line by line'
);
select is((b.bill -> 'usage') - 'saved_usd', '{"requests": 1, "total_tokens": 1000000, "provider_cost_usd": "60", "markup_usd": "20",
    "charges_usd": "80", "own_key_cost_usd": "0"}', 'a million tokens: 60 for the provider, 20 for the gateway')
from (select admin.sp_read_bill('ward', '2026-02-01') as bill) as b;
select is(
    (b.bill ->> 'subtotal', b.bill ->> 'tax_total', b.bill ->> 'total', b.bill ->> 'due'), ('430.00'::text, '0.00'::text, '430.00'::text, '430.00'::text),
    'in total'
)
from (select admin.sp_read_bill('ward', '2026-02-01') as bill) as b;
select is(test.balance_of('ward', 'receivable'), 430.0000000000, 'it is owed');
select is(test.balance_of('ward', 'unbilled'), 0.0000000000, 'nothing is left unbilled');
select is((test.balance_of('ward', 'usage_revenue'), test.balance_of('ward', 'service_revenue')), (-80.0000000000, -350.0000000000), 'and earned');
select is(
    test.read_as('onevault_bi', 'clinic', $$select s.billing_status || ' ' || s.customer_cost_usd from business_vault.customer_spending as s$$),
    'BILLED 80.0000000000', 'which the month''s spending says too'
);
select * from finish();
rollback;
