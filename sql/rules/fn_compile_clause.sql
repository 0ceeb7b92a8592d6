-- One clause as a jsonpath predicate that is always true or false, never unknown: so "not" means what it says, and an
-- absent attribute equals nothing. Values enter as JSON literals, names as JSON strings; there is no pattern operator.
create or replace function gateway.fn_compile_clause(p_attribute text, p_operator text, p_operand jsonb) returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_type text := gateway.fn_type_of_attribute(p_attribute);
    v_signs constant jsonb := '{"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}';
    v_sign text := coalesce(v_signs ->> p_operator, '==');
    v_given text := jsonb_typeof(p_operand);
    v_wanted text;
    v_path text;
    v_value jsonb;
    v_terms text[] := '{}';
begin
    if v_type is null then
        raise exception using
            errcode = 'VG400', constraint = 'condition_names_a_known_attribute',
            message = format('A routing rule cannot ask for %s', quote_literal(left(p_attribute, 60))),
            hint = 'Known are request_type, capability, surface, priority, tier, tenant, customer, token, model, '
                'compliance, entitlements, stream, tools, vision, structured, prompt_tokens, max_output_tokens, max_cost, images, choices, hour, '
                'weekday, budget_used_percent and metadata.<key>; all, any and not combine them.';
    end if;
    v_wanted := case
        when p_operator in ('in', 'not_in') then 'array'
        when p_operator = 'exists' then 'boolean'
        when p_operator = 'starts_with' then 'string'
        when p_operator in ('gt', 'gte', 'lt', 'lte') then 'number'
        when p_operator in ('eq', 'ne') then v_given
    end;
    if v_wanted is null
        or p_operator = 'starts_with' and v_type not in ('text', 'list', 'any')
        or v_signs ? p_operator and v_type not in ('number', 'any') then
        raise exception using
            errcode = 'VG400', constraint = 'condition_operator_fits_the_attribute',
            message = format('The operator %s cannot be used on %s', quote_literal(left(p_operator, 60)),
                quote_literal(p_attribute)),
            hint = 'There are eq, ne, in, not_in and exists for all attributes, gt, gte, lt and lte for numbers, '
                'starts_with for texts.';
    end if;
    if v_given <> v_wanted or v_wanted = 'array' and jsonb_array_length(p_operand) not between 1 and 256 then
        raise exception using
            errcode = 'VG400', constraint = 'condition_operand_fits_the_operator',
            message = format('The operator %s on %s takes %s', quote_literal(p_operator), quote_literal(p_attribute),
                case v_wanted when 'array' then 'a list of 1 to 256 values' else 'a ' || v_wanted end),
            hint = 'Write it like {"prompt_tokens": {"gte": 1000}}, {"tier": {"in": ["PREMIUM", "BASIC"]}} or '
                '{"metadata.team": {"exists": true}}.';
    end if;

    v_path := case
        when v_type = 'any' then '$.metadata' || (
            select string_agg('.' || to_jsonb(s.name)::text, '' order by s.place)
            from unnest(string_to_array(substr(p_attribute, 10), '.')) with ordinality as s (name, place)
        )
        else '$.' || p_attribute
    end;
    if p_operator = 'exists' then
        return case when p_operand = 'true' then '' else '!' end || format('exists(%s ? (@ != null))', v_path);
    end if;
    for v_value in
        select a.value from jsonb_array_elements(
            case when v_given = 'array' then p_operand else jsonb_build_array(p_operand) end
        ) as a
    loop
        if jsonb_typeof(v_value) <> (case v_type when 'text' then 'string' when 'list' then 'string' else v_type end)
            and (v_type <> 'any' or jsonb_typeof(v_value) not in ('string', 'number', 'boolean')) then
            raise exception using
                errcode = 'VG400', constraint = 'condition_compares_with_plain_values',
                message = format('%s is compared with %s, which is no %s', quote_literal(p_attribute),
                    left(v_value::text, 60), case v_type when 'any' then 'text, number or boolean'
                    when 'list' then 'text' else v_type end),
                hint = 'Texts stand in quotes, numbers and true or false do not; {"exists": false} asks for the absent.';
        end if;
        v_terms := v_terms || case
            when p_operator = 'starts_with' then format('exists(%s ? (@ starts with %s))', v_path, v_value)
            -- Metadata may be of any type, and what cannot be compared is unknown.
            when v_type = 'any' then format('exists(%s ? (@ %s %s))', v_path, v_sign, v_value)
            else format('%s %s %s', v_path, v_sign, v_value)
        end;
    end loop;
    return case when p_operator in ('ne', 'not_in') then '!' else '' end || format('(%s)', array_to_string(v_terms, ' || '));
end
$$;

comment on function gateway.fn_compile_clause(text, text, jsonb) is
'A clause of a rule''s conditions as a jsonpath predicate over gateway.fn_describe_call(); refuses nonsense.';
