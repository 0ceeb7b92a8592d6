-- SET CONSTRAINTS ALL IMMEDIATE does what COMMIT does.
begin;
select plan(16);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_offer('rival', 'model-b', 2, 2);
select test.make_customer('caller');
insert into admin.routing_rule (rule_name, conditions, target_model) values ('reports', '{"request_type": "report"}', 'model-b');
insert into admin.routing_rule_test (test_name, customer, request, expected_model, expected_rule)
values ('reports go to b', 'caller', '{"type": "report"}', 'model-b', 'reports');
insert into admin.routing_rule_test (test_name, customer, request, expected_provider) values ('the rest is cheap', 'caller', '{}', 'maker');
select lives_ok('set constraints all immediate', 'they hold');
set constraints all deferred;

update admin.routing_rule set target_model = 'model-a' where rule_name = 'reports';
select throws_ok('set constraints all immediate', 'VG409', '1 test(s) of the rulebook would fail after this change: '
    || '''reports go to b'': it is to go to any/model-b, and goes to maker/model-a', 'a rule that sends them elsewhere');
update admin.routing_rule set target_model = 'model-b' where rule_name = 'reports';
select lives_ok('set constraints all immediate', 'put right before the end, nothing is wrong');
set constraints all deferred;

update admin.price set usd_per_million = 5 where provider = 'maker';
select throws_ok('set constraints all immediate', 'VG409', null, 'a price that makes another one cheapest');
update admin.price set usd_per_million = 1 where provider = 'maker';
set constraints all immediate;
set constraints all deferred;

update admin.customer set allowed_models = '{model-a}' where customer = 'caller';
select throws_ok('set constraints all immediate', 'VG409', null, 'a customer who may no longer ask for it');
update admin.customer set allowed_models = null where customer = 'caller';
set constraints all immediate;
set constraints all deferred;
update admin.token set token_status = 'REVOKED' where customer = 'caller';
select lives_ok('set constraints all immediate', 'a token that no test speaks for');
set constraints all deferred;
create temporary table before as select e.number from ops.epoch as e;
select test.make_customer('stranger');
update admin.customer set allowed_models = '{model-a}' where customer = 'stranger';
select is(e.number, b.number, 'customers without tests set off none') from ops.epoch as e, before as b;
update admin.customer set compliance = '{HIPAA}' where customer = 'caller';
select throws_ok('set constraints all immediate', 'VG409', null, 'a customer who needs what nobody meets');
update admin.customer set compliance = '{}' where customer = 'caller';
set constraints all immediate;
set constraints all deferred;

delete from admin.routing_rule where rule_name = 'reports';
select throws_ok('set constraints all immediate', 'VG409', null, 'a rule that goes');
insert into admin.routing_rule (rule_name, conditions, target_model) values ('reports too', '{"request_type": "report"}', 'model-b');
select throws_ok('set constraints all immediate', 'VG409', null, 'or that has another name');
update admin.routing_rule_test set expected_rule = 'reports too' where test_name = 'reports go to b';
select lives_ok('set constraints all immediate', 'unless the test changes with it');
set constraints all deferred;

insert into admin.routing_rule (rule_name, rule_priority, deny_reason) values ('closed', 1, 'Not today.');
select throws_ok('set constraints all immediate', 'VG409', null, 'a rule that refuses all');
update admin.routing_rule set conditions = '{"request_type": "secret"}' where rule_name = 'closed';
insert into admin.routing_rule_test (test_name, customer, request, is_denied) values ('secrets stay', 'caller', '{"type": "secret"}', true);
select lives_ok('set constraints all immediate', 'a denial can be expected');
set constraints all deferred;
insert into ops.offer_health (offer_hk, rests_until) values (util.hash_key('maker', 'model-a'), now() + interval '1 hour');
update admin.routing_rule set rule_priority = 7 where rule_name = 'closed';
select lives_ok('set constraints all immediate', 'a provider that rests breaks no test');
select throws_ok($$insert into admin.routing_rule_test (test_name, customer) values ('x', 'caller')$$, 'VG400',
    'A test expects a provider, a model or a rule, or that the call is denied', 'a test of nothing');
select throws_ok($$insert into admin.routing_rule_test (test_name, customer, request, is_denied)
    values ('x', 'caller', '{"weather": 1}', true)$$, 'VG400', 'A call has no attribute ''weather''', 'a call that cannot be');
select * from finish();
rollback;
