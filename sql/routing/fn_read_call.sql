-- What is the same for every offer, taken apart once, as OFFSET 0 sees to: inlined into fn_rank_offers, which is
-- inlined itself. A CTE would do it, too, but more would be made.
create or replace function gateway.fn_read_call(
    p_features gateway.request_features, p_prompt_tokens bigint, p_markup_percent numeric, p_compliance_levels text[],
    p_resting jsonb, p_own_keys jsonb
) returns table (
    prompt_millions numeric, is_strict boolean, room_usd numeric, least_prompt_tokens bigint,
    max_output_tokens integer, choice_millions numeric, range_tokens bigint, asked_tier text, extras jsonb,
    makes_pictures boolean, markup_factor numeric, fee_factor numeric, own_factor numeric,
    max_cost numeric, request_type text, capability text, stream boolean, tools boolean, vision boolean,
    structured boolean, closed text[], room_output_tokens bigint, is_bound boolean, resting jsonb,
    somebody_rests boolean, needs text[], betas text[], inputs integer,
    surface text, caller_hk bytea
)
language sql stable
begin atomic
    select
        p_prompt_tokens * case when p_features.is_strict then 0.000002 else 0.000001 end as prompt_millions,
        p_features.is_strict, p_features.room_usd, p_features.prompt_bytes / 5 as least_prompt_tokens,
        p_features.max_output_tokens,
        greatest(p_features.choices, gateway.fn_count_pictures(p_features), 1) * 0.000001 as choice_millions,
        greatest(p_prompt_tokens * case when p_features.is_strict then 2 else 1 end, 1) as range_tokens,
        gateway.fn_name_tier(p_features.service_tier) as asked_tier,
        gateway.fn_ask_extras(p_features) as extras,
        gateway.fn_count_pictures(p_features) > 0 as makes_pictures,
        1 + p_markup_percent / 100 as markup_factor,
        case when p_own_keys is not null then greatest(p_markup_percent, 0) / 100 end as fee_factor,
        case
            when p_own_keys is not null and p_markup_percent > -100
                then greatest(p_markup_percent, 0) / (100 + p_markup_percent)
            else 0
        end as own_factor,
        least(p_features.max_cost, p_features.room_usd) as max_cost, p_features.request_type,
        coalesce(p_features.capability, 'chat') as capability,
        p_features.stream, p_features.tools, p_features.vision, p_features.structured,
        p_features.closed, p_features.room_tokens - p_prompt_tokens as room_output_tokens,
        p_compliance_levels <> '{}' as is_bound, p_resting as resting, p_resting <> '[]' as somebody_rests,
        p_features.needs, p_features.betas, p_features.inputs, p_features.surface, p_features.caller_hk
    from (values (0)) as once (n) order by once.n offset 0;
end;

comment on function gateway.fn_read_call(gateway.request_features, bigint, numeric, text[], jsonb, jsonb) is
'What routing asks of every offer for a call, read from the call once.';
