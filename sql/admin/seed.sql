-- Made once. What a DBA changes or deletes afterwards stays as he left it.
insert into admin.tenant (tenant, tenant_name)
select 'default', 'Default tenant'
where not exists (select from auth.tenant_h as h where h.tenant_hk = util.hash_key('default'));

insert into admin.routing_rule (rule_name, rule_priority, conditions, cost_optimization)
select 'default', 1000, '{}', true
where not exists (select from gateway.routing_rule_h as h where h.routing_rule_hk = util.hash_key('default'));

insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix)
select 'house', 'OneVault AI Gateway', 'OV'
where (select count(*) from gateway.legal_entity_h) = 0;

insert into admin.plan (plan, plan_name, monthly_fee_usd, entitlements)
select p.plan, p.plan_name, p.monthly_fee_usd, array[p.plan]
from (
    values
    ('analytics', 'Real-time Analytics Dashboard', 50),
    ('advanced_routing', 'Smart Routing & Optimization', 100),
    ('compliance_reporting', 'Compliance Reporting (HIPAA)', 200),
    ('priority_support', 'Priority Support', 500)
) as p (plan, plan_name, monthly_fee_usd)
where not exists (select from gateway.plan_h as h where h.plan_hk = util.hash_key(p.plan));
