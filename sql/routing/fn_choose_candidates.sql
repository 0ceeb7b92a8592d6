-- The offers to try, in order, and what to hold: the dearest of them, since failover may end there. The sandbox answers
-- only when asked by name or when nothing real fits.
create or replace function gateway.fn_choose_candidates(
    p_now timestamptz, p_features gateway.request_features, p_provider text, p_model text, p_prompt_tokens bigint,
    p_principal ops.principal, p_compliance_levels text[], p_rule ops.rule,
    out hold_usd numeric, out provider_hk bytea, out provider_bk text, out model_bk text, out reason text,
    out candidates jsonb, out prices jsonb
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select
        max(c.worst_customer_cost_usd),
        (array_agg((c.offer).provider_hk order by c.place))[1],
        (array_agg((c.offer).provider_bk order by c.place))[1],
        (array_agg((c.offer).model_bk order by c.place))[1],
        jsonb_agg(jsonb_build_object(
            'offer', encode((c.offer).offer_hk, 'hex'), 'provider', (c.offer).provider_bk,
            'kind', (c.offer).adapter_kind, 'endpoint', (c.offer).api_endpoint, 'model', (c.offer).model_bk,
            'upstream_model', (c.offer).upstream_model, 'key', encode((c.offer).provider_key_hk, 'hex'),
            'max_output_tokens', c.output_tokens / greatest(coalesce(p_features.choices, 1), 1),
            'first_byte_timeout_ms', (c.offer).first_byte_timeout_ms, 'settings', (c.offer).adapter_settings
        ) order by c.place),
        jsonb_agg(jsonb_build_object(
            'offer', encode((c.offer).offer_hk, 'hex'), 'provider_hk', encode((c.offer).provider_hk, 'hex'),
            'provider', (c.offer).provider_bk, 'model', (c.offer).model_bk,
            'input', (c.offer).input_usd_per_million, 'cache_read', (c.offer).cache_read_usd_per_million,
            'cache_write', (c.offer).cache_write_usd_per_million, 'output', (c.offer).output_usd_per_million
        ) order by c.place)
    into hold_usd, provider_hk, provider_bk, model_bk, candidates, prices
    from (
        select
            r.*,
            row_number() over best as place,
            first_value((r.offer).is_sandbox) over best as best_is_sandbox
        from gateway.fn_rank_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            p_principal.allowed_models, p_compliance_levels
        ) as r
        where r.dropped_because is null and (r.offer).unroutable_because is null
        window best as (
            order by
                (r.offer).is_sandbox, r.is_resting, not coalesce((r.offer).provider_bk = any(p_principal.preferred_providers), false),
                case when p_rule.quality_optimization then -(r.offer).quality_score end,
                r.worst_provider_cost_usd, (r.offer).provider_bk, (r.offer).model_bk
        )
    ) as c
    where c.place <= coalesce(p_rule.max_attempts, 3) and (c.offer).is_sandbox = c.best_is_sandbox;

    reason := case
        when p_model is not null and p_provider is not null then 'model and provider asked for'
        when p_model is not null then 'cheapest offer of the model'
        when p_rule.quality_optimization then 'best quality'
        else 'cheapest offer that fits'
    end;
end
$$;

comment on function gateway.fn_choose_candidates(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule
) is 'The best offers for a call in the order they are tried, the amount to hold, and the prices it will be billed at.';
