create or replace function gateway.fn_compile_condition(p_condition jsonb, p_depth integer) returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_clause record;
    v_terms text[] := '{}';
begin
    if p_depth > 5 then
        raise exception using
            errcode = 'VG400', constraint = 'conditions_are_not_deep',
            message = 'These conditions are nested too deeply', hint = 'Nest "any" and "not" at most five deep.';
    end if;
    for v_clause in select f.attribute, f.operator, f.operand from gateway.fn_flatten_conditions(p_condition) as f loop
        v_terms := v_terms || case
            when v_clause.attribute is not null
                then gateway.fn_compile_clause(v_clause.attribute, v_clause.operator, v_clause.operand)
            when v_clause.operator = 'not'
                then '!(' || gateway.fn_compile_condition(v_clause.operand, p_depth + 1) || ')'
            else (
                select format(
                    '(%s)', string_agg(gateway.fn_compile_condition(a.condition, p_depth + 1), ' || ' order by a.place)
                )
                from jsonb_array_elements(v_clause.operand) with ordinality as a (condition, place)
            )
        end;
    end loop;
    perform gateway.fn_check_condition(p_condition);
    -- {} holds always.
    return '(' || coalesce(nullif(array_to_string(v_terms, ' && '), ''), '1 == 1') || ')';
end
$$;

comment on function gateway.fn_compile_condition(jsonb, integer) is
'Conditions, or a part of them that stands so deep, as a jsonpath predicate.';
