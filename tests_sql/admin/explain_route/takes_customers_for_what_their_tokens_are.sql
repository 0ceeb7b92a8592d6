begin;
select plan(1);
select test.make_tenant('union', '{"markup_percent": 7, "time_zone": "Asia/Tokyo", "address_policy": "NONE"}');
select test.make_offer('maker', 'model-a');
select test.make_customer('plain', '{}', 'union');
select test.make_customer('rich', '{"markup_percent": 3, "compliance_level": "GDPR,HIPAA", "preferred_providers": ["maker"],
    "allowed_models": ["model-a"], "rate_limit_requests_per_minute": 5, "cost_budget_daily": 1, "cost_budget_monthly": 2,
    "priority_tier": "BASIC"}', 'union');
select test.make_customer('off', '{"is_active": false}', 'union');
select bag_eq(
    $$select to_jsonb(admin.fn_read_principal(p.customer_hk, null))
        - '{token_digest,token_hk,token_bk,token_name,scopes,token_is_limited,version}'::text[] from ops.principal as p$$,
    $$select to_jsonb(p) - '{token_digest,token_hk,token_bk,token_name,scopes,token_is_limited,version}'::text[] from ops.principal as p$$,
    'a customer alone is what its unlimited token is'
);
select * from finish();
rollback;
