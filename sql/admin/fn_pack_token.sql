create or replace function admin.fn_pack_token(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'token_name', nullif(btrim(t.token_name), ''),
            'token_status', upper(btrim(t.token_status)),
            'expires_at', t.expires_at,
            'scopes', t.scopes,
            'rate_limit_requests_per_minute', admin.fn_check_rate_limit(t.rate_limit_requests_per_minute),
            'cost_budget_daily', t.cost_budget_daily,
            'cost_budget_monthly', t.cost_budget_monthly,
            'allowed_models', admin.fn_clean_models(t.allowed_models),
            'allowed_addresses', t.allowed_addresses
        )
        from jsonb_populate_record(null::admin.token, p_row) as t
    );
end
$$;

comment on function admin.fn_pack_token(jsonb) is 'A row of admin.token as a payload for token_s, checked.';
