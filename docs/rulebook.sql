-- A DBA's session, from a rule to its undoing. Run it with
--     onevault psql --role dba -- -f docs/rulebook.sql
-- on a gateway with the customer demo and the sandbox. It leaves history, and nothing in force.

-- Say why; it stands in the history beside your name.
select set_config('onevault.change_reason', 'summaries need not be dear', false);

-- 1. A rule, and what it would do
begin;
insert into admin.routing_rule (rule_name, rule_priority, conditions, target_model)
values ('summaries go small', 50, '{"request_type": "summary"}', 'sandbox-small');
select e.provider, e.model, e.chosen, e.reason
from admin.explain_route('demo', '{"type": "summary", "prompt_tokens": 800}') as e
where e.chosen;

-- 2. A test that holds it to that
insert into admin.routing_rule_test (test_name, customer, request, expected_rule, expected_model)
values ('summaries are small', 'demo', '{"type": "summary"}', 'summaries go small', 'sandbox-small');
commit;

-- 3. A change that breaks the test is refused at COMMIT, and leaves nothing
begin;
update admin.routing_rule set conditions = '{"request_type": "digest"}' where rule_name = 'summaries go small';
commit;
select r.rule_name, r.conditions from admin.routing_rule as r where r.rule_name = 'summaries go small';

-- 4. A draft is asked about, and rolled back
begin;
insert into admin.routing_rule (rule_name, rule_priority, deny_reason) values ('nothing goes', 1, 'Closed for the day.');
select e.reason from admin.explain_route('demo', '{}') as e;
select w.customer, w.requests, w.refused_because from admin.what_if(now() - interval '7 days', now()) as w limit 5;
rollback;

-- 5. Who changed what, when and why
select d.thing, d.name, d.change, d.attribute, d.after, d.changed_by, d.reason
from admin.config_diff(now() - interval '1 minute', clock_timestamp()) as d
where d.name like 'summaries%' and d.attribute in ('target_model', 'expected_model');

-- 6. Undo: a version that was, as a new one; then both go
select clock_timestamp() as before \gset
update admin.routing_rule set rule_priority = 60 where rule_name = 'summaries go small';
select admin.restore('routing_rule', 'summaries go small', :'before');
begin;
delete from admin.routing_rule_test where test_name = 'summaries are small';
delete from admin.routing_rule where rule_name = 'summaries go small';
commit;
select h.rule_priority, h.record_source, h.change_reason, h.ended_by
from admin.routing_rule_history as h where h.rule_name = 'summaries go small' order by h.load_date;
