begin;
select plan(9);
select test.make_offer('maker', 'model-a', 1, 2);
select clock_timestamp() as before \gset
select set_config('onevault.change_reason', ' ticket 4711 ', true);
insert into admin.routing_rule (rule_name, conditions) values ('mine', '{"tier": "BASIC"}');
insert into admin.customer (customer, tenant, cost_budget_daily) values ('acme', 'default', 5);
select clock_timestamp() as between \gset
select set_config('onevault.change_reason', 'they asked for more', true);
update admin.customer set cost_budget_daily = 7.5 where customer = 'acme';
update admin.price set usd_per_million = 3 where provider = 'maker' and meter = 'output';
select set_config('onevault.change_reason', '', true);
delete from admin.routing_rule where rule_name = 'mine';
select clock_timestamp() as after \gset
select results_eq(
    format($$select d.thing, d.name, d.change, d.attribute, d.before, d.after, d.changed_by, d.reason
        from admin.config_diff(%L, %L) as d where d.change = 'changed' and d.attribute <> 'is_active'$$, :'between', :'after'),
    $$values
        ('customer', 'acme', 'changed', 'cost_budget_daily', '5'::jsonb, '7.5'::jsonb, session_user::text collate "default", 'they asked for more'),
        ('price', 'maker/model-a/output/-infinity', 'changed', 'usd_per_million', '2', '3', session_user::text collate "default", 'they asked for more')$$,
    'what was changed, an attribute a row'
);
select results_eq(
    format($$select d.name, d.before ->> 'conditions', d.changed_by, d.reason from admin.config_diff(%L, %L) as d
        where d.change = 'removed'$$, :'between', :'after'),
    $$values ('mine', '{"tier": "BASIC"}', session_user::text collate "default", null)$$, 'what was removed, by whom'
);
select is_empty(
    format($$select d.* from admin.config_diff(%L, %L) as d where d.change = 'added'$$, :'between', :'after'), 'nothing was added since'
);
select results_eq(
    format($$select distinct d.thing, d.name, d.change, d.reason from admin.config_diff(%L, %L) as d
        where d.thing <> 'price' order by 1$$, :'before', :'between'),
    $$values ('customer', 'acme', 'added', 'ticket 4711'), ('routing_rule', 'mine', 'added', 'ticket 4711')$$, 'what was added before, and why'
);
select is_empty(format('select d.* from admin.config_diff(%L, %L) as d', :'after', clock_timestamp()), 'nothing after that');

select set_config('onevault.as_of', :'between', true);
select is(r.conditions, '{"tier": "BASIC"}', 'the rule as of then') from admin.routing_rule as r where r.rule_name = 'mine';
select is(c.cost_budget_daily, 5::numeric, 'and the customer') from admin.customer as c where c.customer = 'acme';
select results_eq(
    $$select p.meter, p.usd_per_million, p.is_in_force from admin.price as p where p.provider = 'maker' order by 1$$,
    $$values ('input', 1::numeric, true), ('output', 2::numeric, true)$$, 'and the prices'
);
select throws_ok($$update admin.customer set cost_budget_daily = 9 where customer = 'acme'$$, 'VG409', null, 'the past cannot be changed');
select * from finish();
rollback;
