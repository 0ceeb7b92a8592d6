-- The road leaves out a provider or model whose limit is reached, if others can answer; so what a call would meet is
-- asked in the same way. Limits of all providers together are not looked at: they shorten or refuse.
create or replace function admin.fn_close_full_limits(
    p_principal ops.principal, p_features gateway.request_features, p_prompt_tokens bigint, p_now timestamptz,
    p_seed bigint
) returns gateway.request_features
language plpgsql
stable
set search_path = ''
as $$
declare
    v_features gateway.request_features := p_features;
    v_next gateway.request_features := p_features;
    v_choice gateway.route_choice;
    v_check record;
    v_limit ops.usage_limit;
begin
    if p_principal.limit_hks is null then
        return p_features;
    end if;
    for v_turn in 1 .. 8 loop
        v_choice := gateway.fn_decide(p_principal, v_next, p_prompt_tokens, p_now, p_seed);
        exit when (v_choice.refusal).status is not null;
        v_features := v_next;
        v_check := gateway.fn_check_limits(p_principal, v_choice, v_features, p_prompt_tokens, p_now);
        v_limit := v_check.full_limit;
        exit when v_limit.usage_limit_hk is null or coalesce(v_limit.provider_bk, v_limit.model_bk) is null;
        v_next.closed := v_features.closed || gateway.fn_name_target(v_limit);
    end loop;
    return v_features;
end
$$;

comment on function admin.fn_close_full_limits(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint
) is 'The features of a call with what full limits of providers and models close to it.';
