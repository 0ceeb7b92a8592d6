create or replace function admin.fn_pack_model(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'upstream_model', nullif(btrim(m.upstream_model), ''),
            'capabilities', case
                when m.capabilities is not null
                    then array(select distinct lower(btrim(c.word)) from unnest(m.capabilities) as c (word) order by 1)
            end,
            'features', case
                when m.features is not null
                    then array(select distinct lower(btrim(f.word)) from unnest(m.features) as f (word) order by 1)
            end,
            'context_tokens', m.context_tokens,
            'max_output_tokens', m.max_output_tokens,
            'default_output_tokens', m.default_output_tokens,
            'max_inputs', m.max_inputs,
            'surfaces', case
                when m.surfaces is not null
                    then array(select distinct lower(btrim(f.word)) from unnest(m.surfaces) as f (word) order by 1)
            end,
            'quality_score', admin.fn_check_score('quality_score', m.quality_score),
            'quality_by_type', admin.fn_clean_scores(m.quality_by_type),
            'owner_hk', case when m.customer is not null then admin.fn_find_customer(m.customer) end,
            'is_active', m.is_active
        )
        from jsonb_populate_record(null::admin.model, p_row) as m
    );
end
$$;

comment on function admin.fn_pack_model(jsonb) is 'A row of admin.model as a payload for offer_s, checked.';
