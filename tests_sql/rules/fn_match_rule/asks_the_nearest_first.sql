begin;
select plan(9);
select test.make_offer('maker', 'model-a');
select test.make_customer('ours', '{"priority_tier": "PREMIUM"}', 'house');
select test.make_customer('theirs', '{}', 'house');
select test.make_customer('strange', '{}', 'elsewhere');
create function pg_temp.rule(p_customer text, p_request jsonb default '{}') returns text language sql as $$
    select split_part((test.route(sha256(convert_to(p_customer || '/token', 'UTF8')), p_request)).route_reason, ':', 1)
$$;
insert into admin.routing_rule (rule_name, rule_priority, conditions) values ('for all', 1, '{}');
select is(pg_temp.rule('ours'), 'for all', 'a rule without a scope is for all');
insert into admin.routing_rule (rule_name, rule_priority, tenant) values ('the tenant', 500, 'House');
insert into admin.routing_rule (rule_name, rule_priority, customer) values ('the customer', 900, 'OURS');
insert into admin.routing_rule (rule_name, rule_priority, token_id)
select 'the token', 999, t.token_id from admin.token as t where t.customer = 'ours';
select is(pg_temp.rule('ours'), 'the token', 'a token''s rule goes before its customer''s, whatever their priority');
update admin.routing_rule set is_active = false where rule_name = 'the token';
select is(pg_temp.rule('ours'), 'the customer', 'this one before the tenant''s');
select is(pg_temp.rule('theirs'), 'the tenant', 'the tenant''s before those for all');
select is(pg_temp.rule('strange'), 'for all', 'and neither is for others');
update admin.routing_rule set conditions = '{"request_type": "legal"}' where rule_name = 'the customer';
select is(pg_temp.rule('ours'), 'the tenant', 'a near rule whose conditions do not hold lets the next one decide');
select is(pg_temp.rule('ours', '{"request_type": "legal"}'), 'the customer', 'and decides when they hold');
select throws_ok($$update admin.routing_rule set tenant = 'house' where rule_name = 'the customer'$$, 'VG400',
    'A rule is for a tenant, a customer or a token, not for several of them', 'one scope');
select throws_ok($$update admin.routing_rule set token_id = 'none' where rule_name = 'for all'$$, 'VG404', null, 'a token that is not there');
select * from finish();
rollback;
