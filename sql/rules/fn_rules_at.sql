-- Rules as they were after a change of that number.
create or replace function gateway.fn_rules_at(p_epoch bigint, p_principal ops.principal) returns setof ops.rule
language sql stable
begin atomic
    select r from ops.rule as r where r.from_epoch <= p_epoch and gateway.fn_is_within(r.scope_gate, p_principal)
    union all
    select w
    from ops.past as p
    cross join lateral jsonb_populate_record(null::ops.rule, p.was) as w
    where
        p.thing = 'rule' and p.from_epoch <= p_epoch and p.until_epoch > p_epoch
        and gateway.fn_is_within(w.scope_gate, p_principal);
end;

comment on function gateway.fn_rules_at(bigint, ops.principal) is
'The rules of an epoch that are for all or for this principal.';
