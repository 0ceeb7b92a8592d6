begin;
select plan(6);
select is((select count(*) from admin.tenant where tenant = 'default'), 1::bigint, 'a tenant to begin with');
select is((select (r.rule_priority, r.conditions, r.cost_optimization)::text from admin.routing_rule as r where r.rule_name = 'default'),
    '(1000,{},t)', 'and a rule');
update admin.tenant set markup_percent = 5 where tenant = 'default';
update admin.routing_rule set max_attempts = 1 where rule_name = 'default';
\ir ../../../sql/admin/seed.sql
select is((select markup_percent from admin.tenant where tenant = 'default'), 5::numeric, 'what was changed stays');
select is((select max_attempts from admin.routing_rule where rule_name = 'default'), 1::smallint, 'in both');
delete from admin.tenant where tenant = 'default';
delete from admin.routing_rule where rule_name = 'default';
\ir ../../../sql/admin/seed.sql
select is_empty($$select from admin.tenant where tenant = 'default'$$, 'what was deleted stays away');
select is_empty($$select from admin.routing_rule where rule_name = 'default'$$, 'for good');
select * from finish();
rollback;
