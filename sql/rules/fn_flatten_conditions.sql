-- Conditions as clauses that must all hold: a plain value is eq, a list is in, "all" is laid open. "any" and "not" stay
-- whole, as clauses without an attribute. Whatever is no condition is refused here, with where it stands.
create or replace function gateway.fn_flatten_conditions(p_conditions jsonb, p_within text default '')
returns table (attribute text, operator text, operand jsonb)
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_key text;
    v_value jsonb;
    v_name text;
begin
    if jsonb_typeof(p_conditions) is distinct from 'object' then
        raise exception using
            errcode = 'VG400', constraint = 'condition_is_an_object',
            message = format('%s is no condition', left(p_conditions::text, 60)),
            hint = 'A condition is an object like {"tier": "PREMIUM"}; "all" and "any" take a list, "not" takes one.';
    end if;
    for v_key, v_value in select e.key, e.value from jsonb_each(p_conditions) as e order by e.key loop
        v_name := p_within || v_key;
        if v_name in ('all', 'any') then
            if jsonb_typeof(v_value) <> 'array' or v_value = '[]' then
                raise exception using
                    errcode = 'VG400', constraint = 'combinator_takes_conditions',
                    message = format('%s takes a list of conditions', quote_literal(v_name)),
                    hint = format('Write it like {"%s": [{"tier": "PREMIUM"}, {"stream": true}]}.', v_name);
            end if;
            if v_name = 'all' then
                return query
                select f.attribute, f.operator, f.operand
                from jsonb_array_elements(v_value) as c (condition)
                cross join lateral gateway.fn_flatten_conditions(c.condition) as f;
            else
                return query select null::text, v_name, v_value;
            end if;
        elsif v_name = 'not' then
            return query select null::text, v_name, v_value;
        elsif v_name = 'metadata' and jsonb_typeof(v_value) = 'object' then
            return query select f.* from gateway.fn_flatten_conditions(v_value, 'metadata.') as f;
        elsif jsonb_typeof(v_value) = 'object' then
            if v_value = '{}' then
                raise exception using
                    errcode = 'VG400', constraint = 'condition_has_an_operator',
                    message = format('The condition on %s asks for nothing', quote_literal(v_name)),
                    hint = 'Give a value, a list of values, or operators like {"gte": 1000}.';
            end if;
            return query select v_name, o.key, o.value from jsonb_each(v_value) as o order by o.key;
        elsif jsonb_typeof(v_value) = 'array' then
            return query select v_name, 'in', v_value;
        else
            return query select v_name, 'eq', v_value;
        end if;
    end loop;
end
$$;

comment on function gateway.fn_flatten_conditions(jsonb, text) is
'A rule''s conditions as clauses (attribute, operator, operand) that must all hold; "any" and "not" have no attribute.';
