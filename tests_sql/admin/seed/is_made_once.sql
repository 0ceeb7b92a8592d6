begin;
select plan(9);
select is((select count(*) from admin.tenant where tenant = 'default'), 1::bigint, 'a tenant to begin with');
select is((select (r.rule_priority, r.conditions, r.cost_optimization)::text from admin.routing_rule as r where r.rule_name = 'default'),
    '(1000,{},t)', 'and a rule');
select results_eq(
    $$select p.plan, p.plan_name, p.monthly_fee_usd, p.entitlements from admin.plan as p order by p.monthly_fee_usd$$,
    $$values ('analytics', 'Real-time Analytics Dashboard', 50::numeric, '{analytics}'::text[]),
        ('advanced_routing', 'Smart Routing & Optimization', 100, '{advanced_routing}'),
        ('compliance_reporting', 'Compliance Reporting (HIPAA)', 200, '{compliance_reporting}'),
        ('priority_support', 'Priority Support', 500, '{priority_support}')$$,
    'services to subscribe to'
);
select results_eq(
    $$select e.legal_entity, e.legal_name, e.invoice_prefix, e.currency, e.is_default from admin.legal_entity as e$$,
    $$values ('house', 'OneVault AI Gateway', 'OV', 'USD', true)$$, 'and somebody who sells them'
);
update admin.plan set monthly_fee_usd = 49 where plan = 'analytics';
delete from admin.plan where plan = 'priority_support';
insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix, is_default) values ('ours', 'Ours', 'OURS', true);
delete from admin.legal_entity where legal_entity = 'house';
update admin.tenant set markup_percent = 5 where tenant = 'default';
update admin.routing_rule set max_attempts = 1 where rule_name = 'default';
\ir ../../../sql/admin/seed.sql
select is((select markup_percent from admin.tenant where tenant = 'default'), 5::numeric, 'what was changed stays');
select is((select max_attempts from admin.routing_rule where rule_name = 'default'), 1::smallint, 'in both');
delete from admin.tenant where tenant = 'default';
delete from admin.routing_rule where rule_name = 'default';
\ir ../../../sql/admin/seed.sql
select is(
    (select (select array_agg(p.monthly_fee_usd order by p.monthly_fee_usd) from admin.plan as p)::text || array_agg(e.legal_entity)::text
        from admin.legal_entity as e),
    '{49,100,200}{ours}', 'services and sellers too: what is gone is not made again'
);
select is_empty($$select from admin.tenant where tenant = 'default'$$, 'what was deleted stays away');
select is_empty($$select from admin.routing_rule where rule_name = 'default'$$, 'for good');
select * from finish();
rollback;
