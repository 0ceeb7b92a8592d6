-- What rules and models hold as JSON: weights and scores, checked.
create or replace function admin.fn_clean_targets(p_targets jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_clean jsonb := '{}';
    v_target record;
begin
    if coalesce(jsonb_typeof(p_targets), 'null') = 'null' then
        return null;
    end if;
    if jsonb_typeof(p_targets) <> 'object' or p_targets = '{}' or pg_column_size(p_targets) > 16384 then
        perform admin.fn_refuse_change(
            400, 'targets_are_weights', 'targets is no JSON object of models and weights',
            'Write it like {"maker/small": 3, "other/small": 1}, or NULL.'
        );
    end if;
    for v_target in select e.key as name, e.value as weight from jsonb_each(p_targets) as e loop
        if jsonb_typeof(v_target.weight) <> 'number' or not (v_target.weight #>> '{}')::numeric
            between 0.001 and 1000000 then
            perform admin.fn_refuse_change(
                400, 'targets_are_weights', format('The weight of %s is no number above 0', quote_literal(v_target.name)),
                'Use numbers from 0.001 to 1000000; three times the weight is three times the calls.'
            );
        end if;
        v_clean := v_clean || jsonb_build_object((admin.fn_clean_models(array[v_target.name]))[1], v_target.weight);
    end loop;
    return v_clean;
end
$$;

comment on function admin.fn_clean_targets(jsonb) is
'Weighted targets with names as the vault writes them; refuses unknown models and weights that are none. NULL stays
NULL.';

create or replace function admin.fn_clean_weights(p_weights jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(jsonb_typeof(p_weights), 'null') = 'null' then
        return null;
    end if;
    if jsonb_typeof(p_weights) <> 'object' or pg_column_size(p_weights) > 1024 or exists (
        select from jsonb_each(p_weights) as e
        where
            e.key not in ('cost', 'latency', 'quality') or jsonb_typeof(e.value) <> 'number'
            or not (e.value #>> '{}')::numeric between 0 and 1000
    ) or not coalesce((select sum((e.value #>> '{}')::numeric) > 0 from jsonb_each(p_weights) as e), false) then
        perform admin.fn_refuse_change(
            400, 'weights_are_of_cost_latency_and_quality', 'optimization_weights is no JSON object of weights',
            'Write it like {"cost": 0.5, "latency": 0.3, "quality": 0.2} with numbers from 0 to 1000, or NULL.'
        );
    end if;
    return p_weights;
end
$$;

comment on function admin.fn_clean_weights(jsonb) is
'Weights of cost, latency and quality; refuses all else. NULL stays NULL.';

create or replace function admin.fn_clean_scores(p_scores jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if coalesce(jsonb_typeof(p_scores), 'null') = 'null' then
        return null;
    end if;
    if jsonb_typeof(p_scores) <> 'object' or pg_column_size(p_scores) > 16384 or exists (
        select from jsonb_each(p_scores) as e
        where jsonb_typeof(e.value) <> 'number' or not (e.value #>> '{}')::numeric between 0 and 100
    ) then
        perform admin.fn_refuse_change(
            400, 'scores_are_by_type', 'quality_by_type is no JSON object of types and scores',
            'Write it like {"summary": 82.5, "code": 60} with scores from 0 to 100, or NULL.'
        );
    end if;
    return p_scores;
end
$$;

comment on function admin.fn_clean_scores(jsonb) is
'Quality scores by type of request; refuses all else. NULL stays NULL.';
