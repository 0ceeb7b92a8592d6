-- A rule is never SQL text: its conditions become a jsonpath, checked at write. {} holds always and becomes NULL.
create or replace function gateway.fn_compile_conditions(p_conditions jsonb) returns jsonpath
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_known constant text[] := '{request_type,capability,surface,priority,tier,tenant,customer,token,model,stream,'
        'tools,vision,structured,prompt_tokens,max_output_tokens,max_cost,images}';
    v_terms text[] := '{}';
    v_condition record;
    v_value jsonb;
    v_alternatives text[];
begin
    if p_conditions = '{}' then
        return null;
    end if;
    for v_condition in select e.key, e.value from jsonb_each(p_conditions) as e order by e.key loop
        if not (v_condition.key = any(v_known) or v_condition.key ~ '^metadata\.[A-Za-z0-9_-]{1,64}$') then
            raise exception using
                errcode = 'VG400', constraint = 'condition_names_a_known_attribute',
                message = format('A routing rule cannot ask for %s.', quote_literal(v_condition.key)),
                hint = format('Known attributes: %s and metadata.<key>.', array_to_string(v_known, ', '));
        end if;
        v_alternatives := '{}';
        for v_value in
            select a.value from jsonb_array_elements(
                case when jsonb_typeof(v_condition.value) = 'array' then v_condition.value
                else jsonb_build_array(v_condition.value) end
            ) as a
        loop
            if jsonb_typeof(v_value) not in ('string', 'number', 'boolean') then
                raise exception using
                    errcode = 'VG400', constraint = 'condition_compares_with_plain_values',
                    message = format('The condition on %s compares with something that is no text, number or boolean.',
                        quote_literal(v_condition.key)),
                    hint = 'Give one value, or a list of values of which any may hold.';
            end if;
            v_alternatives := v_alternatives || format('$.%s == %s',
                case when v_condition.key like 'metadata.%'
                    then 'metadata.' || to_jsonb(substr(v_condition.key, 10))::text
                    else to_jsonb(v_condition.key)::text end, v_value::text);
        end loop;
        v_terms := v_terms || format('(%s)', coalesce(nullif(array_to_string(v_alternatives, ' || '), ''), '1 == 2'));
    end loop;
    return array_to_string(v_terms, ' && ')::jsonpath;
end
$$;

comment on function gateway.fn_compile_conditions(jsonb) is
'Compiles a rule''s conditions (attribute: value, or attribute: [any of these]) to a jsonpath predicate; refuses
unknown attributes.';
