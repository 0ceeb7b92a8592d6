create or replace function admin.explain_route(p_customer text, p_request jsonb default '{}')
returns table (
    provider text, model text, rank bigint, worst_case_cost_usd numeric, chosen boolean, reason text,
    uses_key text, charged_by text
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_asked record := admin.fn_read_request(p_request);
    v_features gateway.request_features := v_asked.features;
    v_principal ops.principal;
    v_refusal gateway.route_decision;
    v_budget record;
begin
    v_principal := admin.fn_read_principal(admin.fn_find_customer(p_customer), p_request ->> 'token');
    if v_features.client_ip is null then
        v_principal.allowed_addresses := null;
    end if;
    v_refusal := gateway.fn_check_principal(v_principal, v_now, 'inference', v_features.client_ip);
    if v_refusal.status is not null then
        reason := 'refused: ' || v_refusal.message;
        chosen := false;
        return next;
        return;
    end if;

    v_features := admin.fn_close_full_limits(v_principal, v_features, v_asked.prompt_tokens, v_now, v_asked.seed);
    v_budget := admin.fn_find_budget_room(v_principal, v_features, v_asked.prompt_tokens, v_now, v_asked.seed);
    v_features.room_usd := v_budget.room_usd;
    return query
    select e.provider, e.model, e.rank, e.worst_case_cost_usd, e.chosen,
        case
            when v_budget.refusal is null then e.reason
            when e.provider is null then 'refused: ' || v_budget.refusal
            else replace(e.reason, 'more than max_cost', 'more than the budget has left')
        end,
        e.uses_key, e.charged_by
    from admin.fn_explain_choice(
        v_principal, v_features, v_asked.prompt_tokens, v_now, v_asked.seed, null, null
    ) with ordinality as e
    order by e.provider is not null, e.ordinality;
end
$$;

comment on function admin.explain_route(text, jsonb) is
'What would become of a call of this customer, and why: a refusal first, then every candidate in the order of trying,
those left out and those dropped, each with its worst-case cost to the customer. Budgets of customer and token shorten or refuse it as they
would a call; rate limits and limits of admin.usage_limit over all providers are not looked at. It changes nothing. The
request names what routing looks at: {"model": "auto", "prompt_tokens": 800, "max_output_tokens": 200, "type":
"summary", "token": "name"}. Equal offers are told apart by "seed", which is another one for each call. uses_key
says with whose key: own; own, then house; house; or none. charged_by says which rules of prices make the charge;
NULL: the markup.';
