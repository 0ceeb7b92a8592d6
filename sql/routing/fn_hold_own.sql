-- A candidate of a customer with keys or prices of his own, and what to hold for it: by his own key the fee, and what
-- the house's may cost if it may follow. worst_provider_usd is what the house may be asked for it, with prices of his
-- own.
create or replace function gateway.fn_hold_own(
    p_rules jsonb, p_version bigint, p_candidate jsonb, p_prices jsonb, p_own_keys jsonb, p_falls_back boolean,
    p_output_tokens integer, p_provider_usd numeric, p_markup_percent numeric, p_features gateway.request_features,
    p_prompt_tokens bigint,
    out candidate jsonb, out prices jsonb, out hold_usd numeric, out worst_provider_usd numeric
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_charge gateway.held_charge;
begin
    candidate := p_candidate;
    prices := p_prices;
    worst_provider_usd := case when p_rules is not null then p_provider_usd end;
    if p_own_keys is not null then
        candidate := gateway.fn_put_own_keys(candidate, p_own_keys, p_falls_back);
        prices := prices || jsonb_build_object('own_keys', p_own_keys, 'own_usd', p_provider_usd);
        hold_usd := p_provider_usd * greatest(p_markup_percent, 0) / 100;
        if not p_falls_back then
            worst_provider_usd := case when p_rules is not null then 0 end;
            return;
        end if;
    end if;
    if p_rules is not null then
        v_charge := gateway.fn_hold_charge_at(p_rules, p_version, p_markup_percent, p_features, p_prompt_tokens);
    end if;
    if v_charge.terms is null then
        hold_usd := greatest(hold_usd, p_provider_usd * (1 + p_markup_percent / 100));
        return;
    end if;
    prices := prices || jsonb_build_object('terms', v_charge.terms);
    hold_usd := greatest(
        hold_usd, v_charge.prompt_usd + p_output_tokens * v_charge.usd_per_output_token, v_charge.minimum_usd
    );
end
$$;

comment on function gateway.fn_hold_own(
    jsonb, bigint, jsonb, jsonb, jsonb, boolean, integer, numeric, numeric, gateway.request_features, bigint
) is 'What a worker is told and what is pinned of a candidate by a customer''s own keys and prices, and what to hold.';
