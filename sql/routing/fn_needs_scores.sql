create or replace function gateway.fn_needs_scores(p_rule ops.rule, p_is_free boolean) returns boolean
language sql immutable
return coalesce(
    (p_rule).strategy <> 'OPTIMIZE' or (p_rule).latency_weight > 0 or (p_rule).is_sticky
    or p_is_free and (p_rule).target_names is not null
    or (p_rule).quality_weight > 0 and (p_rule).cost_weight > 0, false
);

comment on function gateway.fn_needs_scores(ops.rule, boolean) is
'Whether a rule asks for more than the cheapest or the best: then offers are scored.';
