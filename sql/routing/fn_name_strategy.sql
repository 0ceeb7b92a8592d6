create or replace function gateway.fn_name_strategy(
    p_rule ops.rule, p_provider text, p_model text, p_is_free boolean
) returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    return case
        when p_model is not null and p_provider is not null then 'model and provider asked for'
        when p_rule.strategy = 'WEIGHTED' and p_is_free then 'drawn by weight'
        when p_rule.strategy = 'LEAST_OUTSTANDING' then 'fewest calls under way'
        when p_rule.latency_weight > 0 and p_rule.cost_weight + p_rule.quality_weight = 0 then 'fastest offer'
        when p_rule.quality_weight > 0 and p_rule.cost_weight + p_rule.latency_weight = 0 then 'best quality'
        when p_rule.latency_weight > 0 or p_rule.quality_weight > 0 then 'best balance'
        when p_model is not null then 'cheapest offer of the model'
        else 'cheapest offer that fits'
    end;
end
$$;

comment on function gateway.fn_name_strategy(ops.rule, text, text, boolean) is
'Why the first of a call''s candidates is the first, in a few words.';
