-- The rules stand in the order in which they count, so for each meter the first that names it, or names none, is the
-- one; what stands after the first that names none counts for nothing.
create or replace function gateway.fn_find_charge_terms(p_rules jsonb, p_provider text, p_model text) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
    v_rule jsonb;
    v_meters text[] := '{}';
    v_terms jsonb;
begin
    for v_rule in select r.value from jsonb_array_elements(p_rules) as r loop
        continue when v_rule ->> 'provider' <> p_provider or v_rule ->> 'model' <> p_model
            or v_rule ->> 'meter' = any(v_meters);
        v_terms := coalesce(v_terms, '[]') || (v_rule - '{provider,model}'::text[]);
        exit when not v_rule ? 'meter';
        v_meters := v_meters || (v_rule ->> 'meter');
    end loop;
    return v_terms;
end
$$;

comment on function gateway.fn_find_charge_terms(jsonb, text, text) is
'Of the rules of prices that hold (gateway.fn_open_charge_rules) those that make the price of this model at this
provider: at most one for each meter, then at most one for all others. NULL: the plain markup.';
