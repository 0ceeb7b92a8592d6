-- How well the offers do that fn_rank_offers finds, by what a rule asks for. What is seen of speed and load is recorded
-- with a decision (p_seen); one that is made again sees what was seen then. Inlined into its callers.
create or replace function gateway.fn_score_offers(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_principal ops.principal, p_compliance_levels text[], p_rule ops.rule, p_is_free boolean, p_seed bigint,
    p_epoch bigint, p_seen jsonb, p_own_keys jsonb, p_is_special boolean, p_charges jsonb
) returns table (
    offer_hk bytea, version bigint, provider_hk bytea, provider_bk text, model_bk text, is_sandbox boolean,
    candidate jsonb, prices jsonb, output_tokens integer, full_output_tokens integer,
    worst_provider_cost_usd numeric, worst_customer_cost_usd numeric, is_resting boolean, dropped_because text,
    place integer, first_byte_ms float8, ms_per_token float8, outstanding bigint, is_last boolean, is_warm boolean,
    score float8, own_keys jsonb, falls_back boolean, rank_cost_usd numeric
)
language sql stable
begin atomic
    select
        s.offer_hk, s.version, s.provider_hk, s.provider_bk, s.model_bk, s.is_sandbox, s.candidate, s.prices,
        s.output_tokens, s.full_output_tokens, s.worst_provider_cost_usd, s.worst_customer_cost_usd, s.is_resting,
        s.dropped_because, s.place, s.first_byte_ms, s.ms_per_token, s.outstanding, s.is_last,
        -- A conversation stays while the prompt that its provider keeps warm makes it no dearer than elsewhere.
        coalesce(s.is_last and s.warm_cost_usd <= s.least_cost_usd, false),
        case p_rule.strategy
            -- The exponential draw: the least of them is each target's as often as its weight says.
            when 'WEIGHTED' then
                -ln((hashtextextended(s.target, p_seed)::float8 + 9223372036854775809) / 18446744073709551618)
                / s.weight::float8
            when 'LEAST_OUTSTANDING' then s.outstanding
            else
                coalesce(p_rule.cost_weight, 1)
                * coalesce(s.rank_cost_usd::float8 / nullif(s.most_cost_usd, 0)::float8, 0)
                -- What nobody has measured counts as the fastest, so that it will be.
                + coalesce(p_rule.latency_weight, 0)
                * coalesce(coalesce(s.expected_ms, s.least_ms) / nullif(s.most_ms, 0), 0)
                + coalesce(p_rule.quality_weight, 0) * (1 - coalesce(s.quality_score, 0)::float8 / 100)
        end,
        s.own_keys, s.falls_back, s.rank_cost_usd
    from (
        select
            r.*, t.place, t.weight, t.name as target, v.*, e.expected_ms,
            min(r.rank_cost_usd) filter (where r.dropped_because is null) over () as least_cost_usd,
            max(r.rank_cost_usd) filter (where r.dropped_because is null) over () as most_cost_usd,
            min(e.expected_ms) filter (where r.dropped_because is null) over () as least_ms,
            max(e.expected_ms) filter (where r.dropped_because is null) over () as most_ms
        from gateway.fn_rank_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            p_principal.allowed_models, p_compliance_levels, p_rule.min_quality_score,
            case when p_is_free then p_rule.target_names end, p_epoch,
            gateway.fn_list_resting(p_now, p_seen, p_own_keys, p_features, p_prompt_tokens), p_own_keys, p_is_special,
            p_charges
        ) as r
        left join lateral (
            select k.name, k.place, k.weight
            from unnest(p_rule.target_names, p_rule.target_weights, p_rule.target_places) as k (name, weight, place)
            where k.name in (r.model_bk, r.provider_bk || '/' || r.model_bk, r.provider_bk || '/*')
            order by k.place, k.weight desc
            limit 1
        ) as t on p_is_free
        left join ops.offer_speed as q on r.offer_hk = q.offer_hk and p_epoch is null and p_rule.latency_weight > 0
        cross join lateral (
            select
                coalesce(q.first_byte_ms, (p_seen -> 'measures' -> r.version::text ->> 0)::float8, 0) as first_byte_ms,
                coalesce(q.ms_per_token, (p_seen -> 'measures' -> r.version::text ->> 1)::float8) as ms_per_token,
                case
                    when p_rule.strategy <> 'LEAST_OUTSTANDING' then null
                    when p_epoch is not null then (p_seen -> 'measures' -> r.version::text ->> 2)::bigint
                    else (
                        select count(*) from ops.reservation as n
                        where n.candidates -> 0 ->> 'offer' = encode(r.offer_hk, 'hex')
                    )
                end as outstanding,
                case
                    when not p_rule.is_sticky then false
                    when p_epoch is not null then coalesce(p_seen -> 'last' = to_jsonb(r.version), false)
                    else exists (
                        select from ops.conversation as c
                        where
                            c.session_digest = decode(p_features.session, 'hex')
                            and c.customer_hk = p_principal.customer_hk and c.offer_hk = r.offer_hk
                            and c.expires_at > p_now
                    )
                end as is_last
        ) as v
        cross join lateral (select v.first_byte_ms + v.ms_per_token * r.output_tokens as expected_ms) as e
    ) as s;
end;

comment on function gateway.fn_score_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb, jsonb, boolean, jsonb
) is 'Offers that could serve a call with their score under a rule (less is better) and what it was made from.';
