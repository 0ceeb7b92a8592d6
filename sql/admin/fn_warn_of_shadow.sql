-- A rule that never acts because one before it takes all its calls is allowed, since rulebooks are changed in steps,
-- but nobody should have to find out by waiting. Of lists and metadata each of several values may meet a clause:
-- there only the same clause is surely met.
create or replace function admin.fn_warn_of_shadow(p_rule_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_pair record;
begin
    for v_pair in
        select e.rule_name as earlier, l.rule_name as later
        from gateway.routing_rule_s as e
        inner join gateway.routing_rule_s as l
            on (e.tenant_hk, e.customer_hk, e.token_hk) is not distinct from (l.tenant_hk, l.customer_hk, l.token_hk)
            and (e.rule_priority, e.rule_name::text) < (l.rule_priority, l.rule_name::text)
            and e.valid_from <= l.valid_from and e.valid_to >= l.valid_to
        where
            p_rule_hk in (e.routing_rule_hk, l.routing_rule_hk) and e.load_end_date is null and l.load_end_date is null
            and e.is_active and l.is_active
            -- Cheap, and true for most pairs: the earlier one asks for something of which the later one says nothing.
            and not exists (
                select from jsonb_object_keys(e.conditions) as k (name)
                where k.name <> 'all' and position(split_part(k.name, '.', 1) in l.conditions::text) = 0
            )
            and not exists (
                select from gateway.fn_flatten_conditions(e.conditions) as asked
                where not exists (
                    select from gateway.fn_flatten_conditions(l.conditions) as met
                    where
                        met.attribute is not distinct from asked.attribute
                        and case
                            when gateway.fn_type_of_attribute(asked.attribute) in ('text', 'number', 'boolean')
                                then gateway.fn_implies_clause(met.operator, met.operand, asked.operator, asked.operand)
                            else (met.operator, met.operand) = (asked.operator, asked.operand)
                        end
                )
            )
        order by l.rule_priority, l.rule_name
        limit 10
    loop
        raise warning using
            message = format('The rule %s will never act: %s before it takes all its calls',
                quote_literal(v_pair.later), quote_literal(v_pair.earlier)),
            hint = 'Change their rule_priority (lower goes first), or their conditions.';
    end loop;
end
$$;

comment on function admin.fn_warn_of_shadow(bytea) is
'Warns when this rule takes all calls of a later one, or an earlier one all of its own.';
