create or replace function gateway.fn_deny_call(p_rule ops.rule) returns gateway.route_decision
language sql immutable
set search_path = ''
return gateway.fn_refuse(
    'denied_by_rule', 403, format('The rule %s does not let this call through: %s', quote_literal((p_rule).rule_name),
        (p_rule).deny_reason), jsonb_build_object('rule', (p_rule).rule_name)
);

comment on function gateway.fn_deny_call(ops.rule) is
'The refusal of a call by a rule, with the rule''s name and reason.';
