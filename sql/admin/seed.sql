-- Made once. What a DBA changes or deletes afterwards stays as he left it.
insert into admin.tenant (tenant, tenant_name)
select 'default', 'Default tenant'
where not exists (select from auth.tenant_h as h where h.tenant_hk = util.hash_key('default'));

insert into admin.routing_rule (rule_name, rule_priority, conditions, cost_optimization)
select 'default', 1000, '{}', true
where not exists (select from gateway.routing_rule_h as h where h.routing_rule_hk = util.hash_key('default'));
