begin;
select plan(6);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('saver', '{"markup_percent": 0}', 'house');
select test.make_customer('foreign', '{"markup_percent": 0}', 'elsewhere');
insert into admin.usage_limit (tenant, unit, period, amount) values ('house', 'USD', 'WEEK', 50);
insert into admin.usage_limit (customer, provider, unit, period, amount) values ('saver', 'maker', 'USD', 'TOTAL', 20);
insert into admin.usage_limit (customer, unit, amount) values ('saver', 'PARALLEL', 4);
insert into admin.usage_limit (tenant, unit, period, amount) values ('elsewhere', 'USD', 'DAY', 7);
create temporary table made as select test.route(sha256('saver/token'), '{"max_output_tokens": 10}') as d;
select test.settle(d, '{"input_uncached": 0, "output": 5}') from made;
select test.route(sha256('saver/token'), '{"max_output_tokens": 10}');
select results_eq(
    $$select b.limit_name, b.scope, b.period, b.provider, b.limit_usd, b.spent_usd, b.held_usd, b.remaining_usd, b.used_percent
        from business_vault.budget_status as b where b.tenant = 'house' and b.limit_name is not null order by 1$$,
    $$values ('house USD WEEK', 'tenant', 'weekly', null, 50::numeric, 5::numeric, 10::numeric, 35::numeric, 30.00),
        ('saver maker USD TOTAL', 'customer', 'total', 'maker', 20, 5, 10, 5, 75.00)$$, 'budgets with what is left'
);
select is((s.used, s.held, s.remaining), (0::numeric, 1::numeric, 3::numeric), 'and limits of other units')
from business_vault.usage_limit_status as s where s.unit = 'PARALLEL';
select is((s.resets_at is null, b.resets_at > now()), (true, true), 'with their ends')
from business_vault.usage_limit_status as s, business_vault.budget_status as b
where s.unit = 'PARALLEL' and b.limit_name = 'house USD WEEK';
select is(
    test.read_as('onevault_bi', 'elsewhere', 'select string_agg(s.limit_name, '','') from business_vault.usage_limit_status as s'),
    'elsewhere USD DAY', 'BI sees those of its tenant'
);
update ops.usage_limit set window_number = window_number - 1 where limit_name = 'house USD WEEK';
select is((b.spent_usd, b.held_usd), (0::numeric, 0::numeric), 'a week that is over counts as nothing')
from business_vault.budget_status as b where b.limit_name = 'house USD WEEK';
select is(
    gateway.sp_get_billing(sha256('saver/token')) #> '{body,budgets}'
    @> '[{"scope": "customer", "period": "total", "limit_usd": 20, "limit_name": "saver maker USD TOTAL", "provider": "maker"}]',
    true, 'and a customer is told'
);
select * from finish();
rollback;
