begin;
select plan(12);
select test.make_offer('maker', 'model-a');
select throws_ok($$insert into admin.model (provider, model) values ('nobody', 'x')$$, 'VG404',
    'There is no provider ''nobody''', 'an unknown provider');
select throws_ok($$insert into admin.model (provider, model) values ('maker', 'Model-A')$$, 'VG409', null, 'a taken name');
select throws_ok($$insert into admin.model (provider, model) values ('maker', '')$$, 'VG400', 'A model needs a name', 'no name');
select throws_ok($$insert into admin.model (provider, model, input_usd_per_million) values ('maker', 'b', 1)$$, 'VG400',
    'input_usd_per_million cannot be set here', 'a price in the wrong place');
select throws_ok($$update admin.model set output_usd_per_million = 1 where model = 'model-a'$$, 'VG400', null, 'also by UPDATE');
select throws_ok($$update admin.model set capabilities = '{fly}' where model = 'model-a'$$, 'VG400',
    'One of these capabilities is not known', 'an unknown capability');
select throws_ok($$update admin.model set context_tokens = 0 where model = 'model-a'$$, 'VG400', null, 'no context');
select throws_ok($$update admin.model set model = 'b' where model = 'model-a'$$, 'VG400', null, 'another name');
select throws_ok(c.statement, 'VG400', c.what, c.statement)
from (
    values
    ('update admin.model set quality_score = 500 where model = ''model-a''', 'quality_score is out of range'),
    ('update admin.model set quality_score = -1 where model = ''model-a''', 'quality_score is out of range'),
    ('update admin.provider set quality_score = 101 where provider = ''maker''', 'quality_score is out of range'),
    ('insert into admin.routing_rule (rule_name, min_quality_score) values (''q'', 999)', 'min_quality_score is out of range')
) as c (statement, what);
select * from finish();
rollback;
