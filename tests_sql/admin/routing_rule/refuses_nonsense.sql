begin;
select plan(10);
select test.make_offer('maker', 'model-a');
insert into admin.routing_rule (rule_name, is_active) values ('mine', false);
select throws_ok($$insert into admin.routing_rule (rule_name) values ('Mine')$$, 'VG409', null, 'a taken name');
select throws_ok($$insert into admin.routing_rule (rule_priority) values (1)$$, 'VG400', 'A rule needs a name', 'no name');
select throws_ok($$update admin.routing_rule set conditions = '{"weather": "fine"}' where rule_name = 'mine'$$, 'VG400', null,
    'an attribute that no call has, in a rule that is off');
select throws_ok($$update admin.routing_rule set conditions = '[]' where rule_name = 'mine'$$, 'VG400',
    'The conditions of a rule are no JSON object', 'conditions that are a list');
select throws_ok($$update admin.routing_rule set target_provider = 'nobody' where rule_name = 'mine'$$, 'VG404', null, 'an unknown provider');
select throws_ok($$update admin.routing_rule set target_model = 'nothing' where rule_name = 'mine'$$, 'VG404', null, 'an unknown model');
select throws_ok($$update admin.routing_rule set target_model = 'maker/model-a' where rule_name = 'mine'$$, 'VG400',
    '''maker/model-a'' names a provider too', 'a provider in the wrong place');
select throws_ok($$update admin.routing_rule set target_provider = 'sandbox-none' where rule_name = 'mine'$$, 'VG404', null, 'another one');
select throws_ok($$update admin.routing_rule set max_attempts = 11 where rule_name = 'mine'$$, 'VG400', null, 'too many attempts');
select throws_ok($$update admin.routing_rule set rule_name = 'yours' where rule_name = 'mine'$$, 'VG400', null, 'another name');
select * from finish();
rollback;
