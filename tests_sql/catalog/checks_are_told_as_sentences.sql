begin;
select plan(1);
select is_empty(
    $$select c.conrelid::regclass, c.conname from pg_catalog.pg_constraint as c
        where c.contype = 'c' and c.conname <> 'load_end_date_is_after_load_date' and c.conrelid = any(
            '{auth.tenant_s,gateway.customer_config_s,gateway.token_s,gateway.ai_provider_h,gateway.ai_provider_s,
            gateway.ai_provider_key_s,gateway.customer_provider_keys_s,gateway.offer_s,gateway.offer_price_s,gateway.offer_compliance_s,gateway.plan_s,gateway.subscription_s,
            gateway.routing_rule_s,gateway.routing_rule_test_s,gateway.legal_entity_s,gateway.customer_billing_s,gateway.tax_rate_s,gateway.exchange_rate_s,
            gateway.charge_rule_s,gateway.usage_export_s,gateway.usage_export_customer_s,gateway.credit_s}'::regclass[]
        ) and (admin.fn_explain_constraint(c.conname)).message like 'This breaks the rule:%'$$,
    'every check behind an admin view says what is wrong'
);
select * from finish();
rollback;
