drop view if exists admin.routing_rule_test;
drop view if exists admin.routing_rule_test_history;
create view admin.routing_rule_test_history as
select
    s.test_name::text as test_name,
    c.customer_bk::text as customer,
    s.request,
    s.expected_provider::text as expected_provider,
    s.expected_model::text as expected_model,
    s.expected_rule::text as expected_rule,
    s.is_denied,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.routing_rule_test_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk;

create view admin.routing_rule_test as
select
    t.test_name, t.customer, t.request, t.expected_provider, t.expected_model, t.expected_rule, t.is_denied, t.is_active
from admin.routing_rule_test_history as t
where util.fn_is_in_force(t.load_date, t.load_end_date);

comment on view admin.routing_rule_test is
'What must become of calls: a change of rules, models, prices or providers after which one of these fails cannot commit.
A test is about the rulebook: limits, budgets and the health of providers are left out of it.';
comment on column admin.routing_rule_test.test_name is 'Name, told when it fails; cannot be changed.';
comment on column admin.routing_rule_test.customer is 'Customer who makes the call.';
comment on column admin.routing_rule_test.request is
'The call, as admin.explain_route() takes it: {"model": "auto", "type": "summary", "prompt_tokens": 800}.';
comment on column admin.routing_rule_test.expected_provider is 'Provider that must be asked first; NULL for any.';
comment on column admin.routing_rule_test.expected_model is 'Model that must be asked first; NULL for any.';
comment on column admin.routing_rule_test.expected_rule is 'Rule that must decide; NULL for any or none.';
comment on column admin.routing_rule_test.is_denied is 'The call must be refused; then nothing else is expected.';
comment on column admin.routing_rule_test.is_active is 'False leaves it out.';
comment on view admin.routing_rule_test_history is
'Every version of every test of the rulebook, deleted ones included.';
comment on column admin.routing_rule_test_history.test_name is 'Name.';
comment on column admin.routing_rule_test_history.customer is 'Customer who made the call.';
comment on column admin.routing_rule_test_history.request is 'The call.';
comment on column admin.routing_rule_test_history.expected_provider is 'Provider that had to be asked first.';
comment on column admin.routing_rule_test_history.expected_model is 'Model that had to be asked first.';
comment on column admin.routing_rule_test_history.expected_rule is 'Rule that had to decide.';
comment on column admin.routing_rule_test_history.is_denied is 'Whether the call had to be refused.';
comment on column admin.routing_rule_test_history.is_active is 'Whether it was looked at.';
comment on column admin.routing_rule_test_history.load_date is 'Since when this version holds.';
comment on column admin.routing_rule_test_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.routing_rule_test_history.record_source is 'SQL user who made this version.';
comment on column admin.routing_rule_test_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.routing_rule_test_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.routing_rule_test_history.end_reason is 'Why it was deleted.';
