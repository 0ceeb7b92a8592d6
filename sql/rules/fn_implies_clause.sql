-- Whether a call that meets one clause meets another on the same attribute as well. Careful: false where it is not
-- sure.
create or replace function gateway.fn_implies_clause(
    p_operator text, p_operand jsonb, p_implied_operator text, p_implied_operand jsonb
) returns boolean
language sql immutable
set search_path = ''
begin atomic
    select coalesce(
        p_operator = p_implied_operator and p_operand = p_implied_operand
        or p_implied_operator = 'exists' and p_implied_operand = 'true'
        and p_operator in ('eq', 'in', 'gt', 'gte', 'lt', 'lte', 'starts_with')
        or case
            when p_operator in ('eq', 'in') then not exists (
                select from jsonb_array_elements(
                    case p_operator when 'in' then p_operand else jsonb_build_array(p_operand) end
                ) as v (value)
                where case p_implied_operator
                    when 'eq' then v.value <> p_implied_operand
                    when 'in' then not p_implied_operand @> v.value
                    when 'ne' then v.value = p_implied_operand
                    when 'not_in' then p_implied_operand @> v.value
                    when 'gt' then v.value <= p_implied_operand
                    when 'gte' then v.value < p_implied_operand
                    when 'lt' then v.value >= p_implied_operand
                    when 'lte' then v.value > p_implied_operand
                    when 'starts_with' then not starts_with(v.value #>> '{}', p_implied_operand #>> '{}')
                    else true
                end
            )
            when p_operator = 'not_in' and p_implied_operator = 'not_in' then p_operand @> p_implied_operand
            when p_operator = 'not_in' and p_implied_operator = 'ne' then p_operand @> p_implied_operand
            when p_operator in ('gt', 'gte') and p_implied_operator = 'gte' then p_operand >= p_implied_operand
            when p_operator in ('gt', 'gte') and p_implied_operator = 'gt'
                then p_operand > p_implied_operand or p_operator = 'gt' and p_operand = p_implied_operand
            when p_operator in ('lt', 'lte') and p_implied_operator = 'lte' then p_operand <= p_implied_operand
            when p_operator in ('lt', 'lte') and p_implied_operator = 'lt'
                then p_operand < p_implied_operand or p_operator = 'lt' and p_operand = p_implied_operand
            when p_operator = 'starts_with' and p_implied_operator = 'starts_with'
                then starts_with(p_operand #>> '{}', p_implied_operand #>> '{}')
        end,
        false
    );
end;

comment on function gateway.fn_implies_clause(text, jsonb, text, jsonb) is
'True when whoever meets the first clause surely meets the second, both on one attribute with one value.';
