begin;
select plan(7);
select test.make_offer('maker', 'model-a');
insert into admin.compliance_fact (provider, model, compliance_level) values ('maker', 'model-a', 'EU');
select throws_ok($$insert into admin.compliance_fact (provider, model, compliance_level) values ('maker', 'nothing', 'EU')$$,
    'VG404', 'The provider ''maker'' has no model ''nothing''', 'an unknown model');
select throws_ok($$insert into admin.compliance_fact (provider, model) values ('maker', 'model-a')$$, 'VG400',
    'A compliance fact needs a level', 'no level');
select throws_ok($$insert into admin.compliance_fact (provider, model, compliance_level) values ('maker', 'model-a', 'a b; drop')$$,
    'VG400', '''A B; DROP'' is no compliance level', 'no word');
select throws_ok($$insert into admin.compliance_fact (provider, model, compliance_level) values ('maker', 'model-a', 'eu')$$,
    'VG409', 'maker/model-a has a fact about EU from -infinity on already', 'one that is there');
select throws_ok($$update admin.compliance_fact set valid_to = '-infinity'$$, 'VG400', 'This would end before it begins',
    'an end before the beginning');
select throws_ok($$update admin.compliance_fact set is_met = null$$, 'VG400', 'is_met cannot be NULL', 'neither met nor not');
select throws_ok($$update admin.compliance_fact set compliance_level = 'US'$$, 'VG400', null, 'another level');
select * from finish();
rollback;
