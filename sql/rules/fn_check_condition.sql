-- What no call can ever meet is a mistake: refused at write, before anybody waits for the rule to act. Lists and
-- metadata are left out: of several values each may fit one clause.
create or replace function gateway.fn_check_condition(p_condition jsonb) returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_wrong record;
begin
    with clauses as (
        select row_number() over () as number, f.attribute, f.operator, f.operand
        from gateway.fn_flatten_conditions(p_condition) as f
        where gateway.fn_type_of_attribute(f.attribute) in ('text', 'number', 'boolean')
    ),

    named as (
        select c.number, c.attribute, a.value
        from clauses as c
        cross join lateral jsonb_array_elements(
            case c.operator when 'in' then c.operand else jsonb_build_array(c.operand) end
        ) as a
        where c.operator in ('eq', 'in')
    ),

    -- Values that all clauses of their attribute allow
    possible as (
        select n.attribute, n.value
        from named as n
        group by n.attribute, n.value
        having
            count(distinct n.number) = (
                select count(*) from clauses as c where c.attribute = n.attribute and c.operator in ('eq', 'in')
            )
            and not exists (
                select from clauses as c
                where
                    c.attribute = n.attribute and case c.operator
                        when 'ne' then n.value = c.operand
                        when 'not_in' then c.operand @> n.value
                        when 'gt' then n.value <= c.operand
                        when 'gte' then n.value < c.operand
                        when 'lt' then n.value >= c.operand
                        when 'lte' then n.value > c.operand
                        when 'exists' then c.operand = 'false'
                        when 'starts_with' then not starts_with(n.value #>> '{}', c.operand #>> '{}')
                    end
            )
    ),

    bounds as (
        select
            c.attribute,
            max((c.operand #>> '{}')::numeric) filter (where c.operator in ('gt', 'gte')) as lowest,
            min((c.operand #>> '{}')::numeric) filter (where c.operator in ('lt', 'lte')) as highest,
            bool_or(c.operator in ('gt', 'lt')) as is_open
        from clauses as c
        where c.operator in ('gt', 'gte', 'lt', 'lte')
        group by c.attribute
    )

    select w.attribute, w.why into v_wrong
    from (
        select
            n.attribute, format('%s is never %s', quote_literal(n.attribute), left(n.value::text, 60)) as why
        from named as n
        where case n.attribute
            when 'tier' then n.value not in ('"BASIC"', '"STANDARD"', '"PREMIUM"')
            when 'capability' then n.value not in ('"chat"', '"embedding"', '"image"', '"rerank"')
            when 'hour' then not ('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23]'::jsonb @> n.value)
            when 'weekday' then not ('[1,2,3,4,5,6,7]'::jsonb @> n.value)
        end
        union all
        select f.attribute, format('%s is never %s', quote_literal(f.attribute), left(a.value::text, 60))
        from gateway.fn_flatten_conditions(p_condition) as f
        cross join lateral jsonb_array_elements(
            case f.operator when 'in' then f.operand else jsonb_build_array(f.operand) end
        ) as a
        where
            f.attribute = 'entitlements' and f.operator in ('eq', 'in') and a.value #>> '{}' !~ '^[a-z0-9_]{1,60}$'
        union all
        select distinct n.attribute, format('no %s meets all that is asked of it', quote_literal(n.attribute))
        from named as n
        where n.attribute not in (select p.attribute from possible as p)
        union all
        select
            b.attribute, format('no %s is above %s and below %s', quote_literal(b.attribute), b.lowest, b.highest)
        from bounds as b
        where b.lowest > b.highest or b.lowest = b.highest and b.is_open
    ) as w
    limit 1;
    if found then
        raise exception using
            errcode = 'VG400', constraint = 'condition_can_hold',
            message = format('This condition can never hold: %s', v_wrong.why),
            hint = case v_wrong.attribute
                when 'tier' then 'Tiers are BASIC, STANDARD and PREMIUM.'
                when 'capability' then 'Capabilities are chat, embedding, image and rerank.'
                when 'entitlements' then 'Entitlements are words in lower case, as admin.plan has them.'
                when 'hour' then 'Hours go from 0 to 23, in the tenant''s time zone.'
                when 'weekday' then 'Weekdays go from 1 (Monday) to 7 (Sunday), in the tenant''s time zone.'
                else 'Clauses of one object must all hold; use "any" for alternatives.'
            end;
    end if;
end
$$;

comment on function gateway.fn_check_condition(jsonb) is
'Refuses conditions that no call can ever meet: contradictions, and values that an attribute never has.';
