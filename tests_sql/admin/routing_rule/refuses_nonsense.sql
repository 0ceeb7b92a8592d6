begin;
select plan(20);
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
select throws_ok($$update admin.routing_rule set targets = '{"model-z": 1}' where rule_name = 'mine'$$, 'VG404', null, 'weights of nothing');
select throws_ok($$update admin.routing_rule set targets = '{"model-a": -1}' where rule_name = 'mine'$$, 'VG400', null, 'a negative weight');
select throws_ok($$update admin.routing_rule set targets = '["model-a"]' where rule_name = 'mine'$$, 'VG400', null, 'targets without weights');
select throws_ok($$update admin.routing_rule set targets = '{"model-a": 1}', target_model = 'model-a' where rule_name = 'mine'$$, 'VG400',
    'A rule has one target or weighted targets, not both', 'both kinds of target');
select throws_ok($$update admin.routing_rule set fallbacks = '{model-a}' where rule_name = 'mine'$$, 'VG400',
    'Fallbacks without a target would never be tried', 'fallbacks of nothing');
select throws_ok($$update admin.routing_rule set strategy = 'weighted' where rule_name = 'mine'$$, 'VG400',
    'A rule without targets has nothing to draw from', 'a draw from nothing');
select throws_ok($$update admin.routing_rule set strategy = 'luck' where rule_name = 'mine'$$, 'VG400', 'This strategy is not known', 'luck');
select throws_ok($$update admin.routing_rule set optimization_weights = '{"speed": 1}' where rule_name = 'mine'$$, 'VG400', null, 'another weight');
select throws_ok($$update admin.routing_rule set optimization_weights = '{"cost": 0}' where rule_name = 'mine'$$, 'VG400', null, 'no weight at all');
select throws_ok($$update admin.model set quality_by_type = '{"summary": 101}' where model = 'model-a'$$, 'VG400', null, 'a score above 100');
select * from finish();
rollback;
