begin;
select plan(13);
select test.make_offer('maker', 'model-a', 1, 2);
select test.make_customer('acme', '{"cost_budget_daily": 5}');
insert into admin.routing_rule (rule_name, conditions) values ('mine', '{"tier": "BASIC"}');
select clock_timestamp() as good \gset
update admin.customer set cost_budget_daily = 0 where customer = 'acme';
update admin.price set usd_per_million = 3000 where provider = 'maker' and meter = 'output';
update admin.model set context_tokens = 1 where provider = 'maker';
update admin.provider set is_active = false where provider = 'maker';
delete from admin.routing_rule where rule_name = 'mine';
select is((test.route(sha256('acme/token'))).status, 'no_provider', 'somebody broke it');

select set_config('onevault.change_reason', 'undo', true);
select is(admin.restore('customer', 'ACME', :'good'), format('ACME as of %s', :'good'::timestamptz), 'a customer');
select is(admin.restore('price', 'maker/model-a/output', :'good'), format('maker/model-a/output as of %s', :'good'::timestamptz), 'a price');
select is(admin.restore('model', 'maker/model-a', :'good') is null, false, 'a model');
select is(admin.restore('provider', 'maker', :'good') is null, false, 'a provider');
select is(admin.restore('routing_rule', 'mine', :'good') is null, false, 'a rule that was deleted');
select is((test.route(sha256('acme/token'))).status, 'routed', 'all is well again');
select is(c.cost_budget_daily, 5::numeric, 'with the budget of then') from admin.customer as c where c.customer = 'acme';
select results_eq(
    $$select h.conditions, h.record_source, h.change_reason from admin.routing_rule_history as h
        where h.rule_name = 'mine' and h.load_end_date is null$$,
    $$values ('{"tier": "BASIC"}'::jsonb, session_user::text collate "default", 'undo')$$, 'as a new version, by whoever restored it'
);
select is(admin.restore('customer', 'acme', :'good'), 'it is as it was then', 'once is enough');
select throws_ok(
    format($$select admin.restore('routing_rule', 'mine', '2000-01-01'::timestamptz)$$), 'VG404', null, 'what did not exist then'
);
select throws_ok(format($$select admin.restore('token', 'x', now())$$), 'VG404', null, 'tokens are not brought back');
delete from admin.customer where customer = 'acme';
select throws_ok(format($$select admin.restore('customer', 'acme', %L)$$, :'good'), 'VG404', null, 'nor are deleted customers, this way');
select * from finish();
rollback;
