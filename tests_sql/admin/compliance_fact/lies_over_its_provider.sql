begin;
select plan(12);
select test.make_offer('maker', 'model-a', 1), test.make_offer('maker', 'model-b', 5);
select test.make_customer('clinic', '{"compliance_level": "BAA"}');
create temporary view road as
select d.status as code, d.model from test.route(sha256('clinic/token')) as d;

select is((select code from road), 'compliance_blocked', 'nobody meets it yet');
insert into admin.compliance_fact (provider, model, compliance_level, evidence) values ('MAKER', ' model-b', 'baa', 'contract 7');
select results_eq(
    $$select f.provider, f.model, f.compliance_level, f.is_met, f.valid_from, f.valid_to, f.evidence, f.is_in_force
        from admin.compliance_fact as f$$,
    $$values ('maker', 'model-b', 'BAA', true, '-infinity'::timestamptz, 'infinity'::timestamptz, 'contract 7', true)$$,
    'as it was meant'
);
select is((select model from road), 'model-b', 'the next call goes where it is met, though it is dearer');
select is((select reason from admin.explain_route('clinic') where model = 'model-a'),
    'dropped: the provider does not meet the required compliance', 'and it is explained');

update admin.compliance_fact set valid_to = now() - interval '1 minute' where model = 'model-b';
select is((select code from road), 'compliance_blocked', 'what has ended meets nothing');
insert into admin.compliance_fact (provider, model, compliance_level, valid_from)
values ('maker', 'model-b', 'BAA', now() + interval '1 hour');
select is((select code from road), 'compliance_blocked', 'nor what has not begun');

update admin.provider set compliance_levels = '{BAA}' where provider = 'maker';
select is((select model from road), 'model-a', 'what the provider meets as a whole holds for its models');
insert into admin.compliance_fact (provider, model, compliance_level, is_met) values ('maker', 'model-a', 'BAA', false);
select is((select model from road), 'model-b', 'except where a fact says no');
delete from admin.compliance_fact where model = 'model-a';
select is((select model from road), 'model-a', 'until it is deleted');
select is((select count(*) from admin.compliance_fact_history), 4::bigint, 'every version is kept');
select admin.restore('compliance_fact', 'maker/model-b/BAA', (select min(h.load_date) from admin.compliance_fact_history as h));
select is((select f.valid_to from admin.compliance_fact as f where f.valid_from = '-infinity'), 'infinity', 'and can be brought back');
select is(
    (select array_agg(distinct h.name) from admin.config_history as h where h.thing = 'compliance_fact' and h.name ~ 'model-a'),
    '{maker/model-a/BAA/-infinity}'::text[], 'by its name'
);
select * from finish();
rollback;
