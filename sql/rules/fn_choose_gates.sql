-- Where in ops.rule_gate a rule stands: under each value that its most telling plain clause names, or under * for all
-- calls. Only rules that stand under one of a call's own values are looked at, so a long rulebook costs a call little.
create or replace function gateway.fn_choose_gates(p_conditions jsonb) returns text[]
language sql immutable
set search_path = ''
begin atomic
    select coalesce(
        (
            select array_agg(distinct f.attribute || '=' || (a.value #>> '{}'))
            from (
                select g.attribute, g.operator, g.operand
                from gateway.fn_flatten_conditions(p_conditions) as g
                inner join unnest('{customer,token,tenant,request_type,model,surface,tier,capability}'::text[])
                    with ordinality as t (attribute, place) on g.attribute = t.attribute
                where g.operator in ('eq', 'in')
                order by t.place
                limit 1
            ) as f
            cross join lateral jsonb_array_elements(
                case f.operator when 'in' then f.operand else jsonb_build_array(f.operand) end
            ) as a
        ),
        '{*}'
    );
end;

comment on function gateway.fn_choose_gates(jsonb) is
'Keys of ops.rule_gate under which a rule with these conditions is found: attribute=value, or *.';
