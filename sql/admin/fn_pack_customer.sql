-- A row of admin.customer as its satellite keeps it: lists cleaned, compliance as one text.
create or replace function admin.fn_pack_customer(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    return (
        select jsonb_build_object(
            'priority_tier', upper(btrim(c.priority_tier)),
            'rate_limit_requests_per_minute', admin.fn_check_rate_limit(c.rate_limit_requests_per_minute),
            'cost_budget_daily', c.cost_budget_daily,
            'cost_budget_monthly', c.cost_budget_monthly,
            'compliance_level', nullif(array_to_string(admin.fn_clean_levels(c.compliance), ','), ''),
            'preferred_providers', admin.fn_clean_providers(c.preferred_providers),
            'allowed_models', admin.fn_clean_models(c.allowed_models),
            'markup_percent', c.markup_percent,
            'webhook_url', admin.fn_check_webhook_url(c.webhook_url),
            'is_strict', c.is_strict,
            'keeps_parameters', c.keeps_parameters,
            'is_active', c.is_active
        )
        from jsonb_populate_record(null::admin.customer, p_row) as c
    );
end
$$;

comment on function admin.fn_pack_customer(jsonb) is
'A row of admin.customer as a payload for customer_config_s, checked.';
