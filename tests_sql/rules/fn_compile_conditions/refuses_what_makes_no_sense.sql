begin;
select plan(31);
create function pg_temp.refusal(p_conditions text) returns text language plpgsql as $$
declare
    v_rule text;
begin
    perform gateway.fn_compile_conditions(p_conditions::jsonb);
    return null;
exception
    when sqlstate 'VG400' then
        get stacked diagnostics v_rule = constraint_name;
        return v_rule;
end
$$;
select is(pg_temp.refusal(t.conditions), t.refusal, coalesce(t.refusal, 'taken') || ': ' || left(t.conditions, 60))
from (values
    ('{"weather": "fine"}', 'condition_names_a_known_attribute'),
    ('{"metadata": "x"}', 'condition_names_a_known_attribute'),
    ('{"metadata.a b": "x"}', 'condition_names_a_known_attribute'),
    ('{"metadata.a.b.c.d.e": "x"}', 'condition_names_a_known_attribute'),
    ('{"tier": {"like": "P%"}}', 'condition_operator_fits_the_attribute'),
    ('{"tier": {"gt": 1}}', 'condition_operator_fits_the_attribute'),
    ('{"prompt_tokens": {"starts_with": "1"}}', 'condition_operator_fits_the_attribute'),
    ('{"prompt_tokens": {"gte": "1000"}}', 'condition_operand_fits_the_operator'),
    ('{"tier": {"in": "PREMIUM"}}', 'condition_operand_fits_the_operator'),
    ('{"tier": []}', 'condition_operand_fits_the_operator'),
    ('{"metadata.team": {"exists": "yes"}}', 'condition_operand_fits_the_operator'),
    ('{"prompt_tokens": "many"}', 'condition_compares_with_plain_values'),
    ('{"stream": "true"}', 'condition_compares_with_plain_values'),
    ('{"tier": null}', 'condition_compares_with_plain_values'),
    ('{"metadata.team": [{"a": 1}]}', 'condition_compares_with_plain_values'),
    ('{"tier": {}}', 'condition_has_an_operator'),
    ('{"all": {"tier": "BASIC"}}', 'combinator_takes_conditions'),
    ('{"any": []}', 'combinator_takes_conditions'),
    ('{"not": ["x"]}', 'condition_is_an_object'),
    ('[]', 'condition_is_an_object'),
    ('{"tier": "GOLD"}', 'condition_can_hold'),
    ('{"hour": 24}', 'condition_can_hold'),
    ('{"weekday": [0, 6]}', 'condition_can_hold'),
    ('{"all": [{"tier": "BASIC"}, {"tier": ["PREMIUM", "STANDARD"]}]}', 'condition_can_hold'),
    ('{"prompt_tokens": {"gte": 1000, "lt": 1000}}', 'condition_can_hold'),
    ('{"model": {"eq": "gpt-4o", "not_in": ["gpt-4o", "o3"]}}', 'condition_can_hold'),
    ('{"prompt_tokens": {"eq": 10, "gt": 10}}', 'condition_can_hold'),
    ('{"not": {"not": {"not": {"not": {"not": {"tier": "BASIC"}}}}}}', 'conditions_are_not_deep'),
    (repeat('{"all": [', 1000) || '{}' || repeat(']}', 1000), 'conditions_are_not_deep'),
    (jsonb_build_object('metadata.x', repeat('x', 1000000))::text, 'conditions_are_short'),
    ('{"metadata": {"team": {"in": ["blue", 7, true]}}, "any": [{"hour": {"gte": 18}}, {"weekday": [6, 7]}]}', null)
) as t (conditions, refusal);
select * from finish();
rollback;
