begin;
select plan(11);
select test.make_offer('maker', 'model-a', 0, 1000000, '{"default_output_tokens": 1}');
select test.make_customer('watched', '{"cost_budget_daily": 10, "cost_budget_monthly": 1000, "markup_percent": 0}');
create function pg_temp.rule(p_request jsonb default '{}') returns text language sql as $$
    select split_part((test.route(sha256('watched/token'), p_request)).route_reason, ':', 1)
$$;
insert into admin.routing_rule (rule_name, rule_priority, conditions)
values ('much is gone', 1, '{"budget_used_percent": {"gte": 15}}');
select is(pg_temp.rule(), 'default', 'nothing is spent yet');
select is(pg_temp.rule(), 'default', 'a tenth is held by the first call');
select is(pg_temp.rule(), 'much is gone', 'two tenths are held');
insert into admin.routing_rule (rule_name, rule_priority, conditions)
select 'this hour', 0, jsonb_build_object('hour', extract(hour from now() at time zone 'UTC'), 'weekday', extract(isodow from now() at time zone 'UTC'));
select is(pg_temp.rule(), 'this hour', 'hour and weekday of the tenant''s time zone');
update admin.routing_rule set conditions = '{"hour": {"gte": 0}}', valid_to = now() + interval '1 hour',
    valid_from = now() - interval '1 hour' where rule_name = 'this hour';
select is(pg_temp.rule(), 'this hour', 'within its dates');
update admin.routing_rule set valid_from = now() + interval '1 minute' where rule_name = 'this hour';
select is(pg_temp.rule(), 'much is gone', 'before its time');
update admin.routing_rule set valid_from = null, valid_to = now() - interval '1 minute' where rule_name = 'this hour';
select is(pg_temp.rule(), 'much is gone', 'after its time');

-- Limits on all that somebody uses are budgets as well; those of one provider are not.
update admin.customer set cost_budget_daily = null, cost_budget_monthly = null where customer = 'watched';
insert into admin.usage_limit (customer, provider, unit, period, amount) values ('watched', 'maker', 'USD', 'DAY', 20);
select is(pg_temp.rule(), 'default', 'no budget is left, but for one provider');
insert into admin.usage_limit (tenant, unit, period, amount, is_hard)
select c.tenant, 'USD', 'WEEK', 6, false from admin.customer as c where c.customer = 'watched';
select is(pg_temp.rule(), 'default', 'nothing is held of a new limit');
select is(pg_temp.rule(), 'much is gone', 'a limit of the tenant counts, a soft one too');
update admin.usage_limit set raised_amount = 1000, raised_until = now() + interval '1 day' where unit = 'USD' and period = 'WEEK';
select is(pg_temp.rule(), 'default', 'as it was raised');
select * from finish();
rollback;
