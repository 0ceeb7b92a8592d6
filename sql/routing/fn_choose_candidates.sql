-- The offers to try, in order, and what to hold: the dearest of them, since failover may end there. The sandbox
-- answers only when asked by name or when nothing real fits.
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
declare
    v_offer record;
    v_best_is_sandbox boolean;
begin
    candidates := '[]';
    prices := '[]';
    for v_offer in
        select
            r.provider_hk, r.provider_bk, r.model_bk, r.is_sandbox, r.candidate, r.prices, r.output_tokens,
            r.worst_customer_cost_usd
        from gateway.fn_rank_offers(
            p_now, p_features, p_provider, p_model, p_prompt_tokens, p_principal.markup_percent,
            p_principal.allowed_models, p_compliance_levels
        ) as r
        where r.unroutable_because is null and r.dropped_because is null
        order by
            r.is_sandbox, r.is_resting, not coalesce(r.provider_bk = any(p_principal.preferred_providers), false),
            case when p_rule.quality_optimization then -r.quality_score end,
            r.worst_provider_cost_usd, r.provider_bk, r.model_bk
        limit coalesce(p_rule.max_attempts, 3)
    loop
        if v_best_is_sandbox is null then
            v_best_is_sandbox := v_offer.is_sandbox;
            provider_hk := v_offer.provider_hk;
            provider_bk := v_offer.provider_bk;
            model_bk := v_offer.model_bk;
        end if;
        exit when v_offer.is_sandbox <> v_best_is_sandbox;
        hold_usd := greatest(hold_usd, v_offer.worst_customer_cost_usd);
        -- A plain answer's first byte comes when all of it is made.
        candidates := candidates || (v_offer.candidate || jsonb_build_object(
            'max_output_tokens', v_offer.output_tokens,
            'first_byte_timeout_ms', (v_offer.candidate ->> 'first_byte_timeout_ms')::integer
                * case when p_features.stream then 1 else 5 end
        ));
        prices := prices || v_offer.prices;
    end loop;

    -- Held to the tenth decimal, upwards, as the books keep it.
    hold_usd := round(ceil(hold_usd * 10000000000) / 10000000000, 10);
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
