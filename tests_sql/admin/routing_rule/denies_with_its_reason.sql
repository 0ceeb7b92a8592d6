begin;
select plan(5);
select test.make_offer('maker', 'model-a');
select test.make_customer('ruled');
insert into admin.routing_rule (rule_name, conditions, deny_reason)
values ('no pictures', '{"vision": true}', 'Pictures of patients stay in the house.');
select results_eq(
    $$select d.status, d.http_status, d.message, d.detail::jsonb ->> 'rule' from test.route(sha256('ruled/token'), '{"vision": true}') as d$$,
    $$values ('denied_by_rule', 403, 'The rule ''no pictures'' does not let this call through: Pictures of patients stay in the house.', 'no pictures')$$,
    'a refusal that names rule and reason'
);
select is((select count(*) from ops.reservation), 0::bigint, 'nothing is held');
select is((test.route(sha256('ruled/token'))).status, 'routed', 'other calls pass');
select results_eq(
    $$select e.chosen, e.reason from admin.explain_route('ruled', '{"vision": true}') as e$$,
    $$values (false, 'refused: The rule ''no pictures'' does not let this call through: Pictures of patients stay in the house.')$$,
    'explain_route says the same'
);
update admin.routing_rule set deny_reason = '' where rule_name = 'no pictures';
select is((test.route(sha256('ruled/token'), '{"vision": true}')).status, 'routed', 'no reason, no denial');
select * from finish();
rollback;
