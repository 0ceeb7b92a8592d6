-- Undo: the earlier version is inserted again, as a new one that bears its maker's name and reason. Tokens and keys are
-- not brought back: revoked is for good.
create or replace function admin.restore(p_thing text, p_name text, p_at timestamptz) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_parts text[] := string_to_array(p_name, '/');
    v_offer_hk bytea := util.hash_key(v_parts[1], array_to_string(v_parts[2:], '/'));
    v_satellite regclass;
    v_version record;
    v_restored integer := 0;
    v_subscription_hk bytea := (
        select l.subscription_hk
        from gateway.subscription_l as l
        inner join gateway.customer_h as c on l.customer_hk = c.customer_hk
        inner join gateway.plan_h as p on l.plan_hk = p.plan_hk
        where p_thing = 'subscription' and lower(c.customer_bk || '/' || p.plan_bk) = lower(btrim(p_name))
        limit 1
    );
begin
    if p_thing = 'customer' then
        -- A deleted one is brought back by restore_customer(), switched off.
        perform admin.fn_find_customer(p_name);
    elsif p_thing in ('price', 'compliance_fact') then
        v_offer_hk := util.hash_key(v_parts[1], array_to_string(v_parts[2:cardinality(v_parts) - 1], '/'));
    end if;
    for v_version in
        select 'auth.tenant_s' as satellite, '{tenant_hk}'::text[] as key, to_jsonb(s) as document
        from auth.tenant_s as s
        where p_thing = 'tenant' and s.tenant_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.customer_config_s', '{customer_hk}', to_jsonb(s)
        from gateway.customer_config_s as s
        where p_thing = 'customer' and s.customer_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.ai_provider_s', '{provider_hk}', to_jsonb(s)
        from gateway.ai_provider_s as s
        where p_thing = 'provider' and s.provider_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.offer_s', '{offer_hk}', to_jsonb(s)
        from gateway.offer_s as s
        where p_thing = 'model' and s.offer_hk = v_offer_hk
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.offer_price_s', '{offer_hk,meter,threshold_tokens,service_tier,region,mode,variant,valid_from}', to_jsonb(s)
        from gateway.offer_price_s as s
        where p_thing = 'price' and s.offer_hk = v_offer_hk and s.meter = v_parts[cardinality(v_parts)]
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.offer_compliance_s', '{offer_hk,compliance_level,valid_from}', to_jsonb(s)
        from gateway.offer_compliance_s as s
        where p_thing = 'compliance_fact' and s.offer_hk = v_offer_hk
            and s.compliance_level = v_parts[cardinality(v_parts)]
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.plan_s', '{plan_hk}', to_jsonb(s)
        from gateway.plan_s as s
        where p_thing = 'plan' and s.plan_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.subscription_s', '{subscription_hk,valid_from}', to_jsonb(s)
        from gateway.subscription_s as s
        where p_thing = 'subscription' and s.subscription_hk = v_subscription_hk
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.legal_entity_s', '{legal_entity_hk}', to_jsonb(s)
        from gateway.legal_entity_s as s
        where p_thing = 'legal_entity' and s.legal_entity_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.customer_billing_s', '{customer_hk}', to_jsonb(s)
        from gateway.customer_billing_s as s
        where p_thing = 'billing_profile' and s.customer_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.tax_rate_s', '{tax_hk,valid_from}', to_jsonb(s)
        from gateway.tax_rate_s as s
        where p_thing = 'tax_rate' and s.tax_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.exchange_rate_s', '{currency_hk,rate_date}', to_jsonb(s)
        from gateway.exchange_rate_s as s
        where p_thing = 'exchange_rate' and s.currency_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.routing_rule_test_s', '{routing_rule_test_hk}', to_jsonb(s)
        from gateway.routing_rule_test_s as s
        where p_thing = 'routing_rule_test' and s.routing_rule_test_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.charge_rule_s', '{charge_rule_hk}', to_jsonb(s)
        from gateway.charge_rule_s as s
        where p_thing = 'charge_rule' and s.charge_rule_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.usage_limit_s', '{usage_limit_hk}', to_jsonb(s)
        from gateway.usage_limit_s as s
        where p_thing = 'usage_limit' and s.usage_limit_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.usage_export_s', '{usage_export_hk}', to_jsonb(s)
        from gateway.usage_export_s as s
        where p_thing = 'usage_export' and s.usage_export_hk = util.hash_key('usage export', lower(btrim(p_name)))
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.usage_export_customer_s', '{usage_export_customer_hk}', to_jsonb(s)
        from gateway.usage_export_customer_s as s
        where p_thing = 'usage_export_customer'
            and s.usage_export_customer_hk
            = util.hash_key('usage export', lower(v_parts[1]), array_to_string(v_parts[2:], '/'))
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
        union all
        select 'gateway.routing_rule_s', '{routing_rule_hk}', to_jsonb(s)
        from gateway.routing_rule_s as s
        where p_thing = 'routing_rule' and s.routing_rule_hk = util.hash_key(p_name)
            and s.load_date <= p_at and (s.load_end_date is null or s.load_end_date > p_at)
    loop
        v_satellite := v_version.satellite;
        v_restored := v_restored + admin.fn_restore_version(
            v_satellite,
            (select jsonb_object_agg(k.name, v_version.document -> k.name) from unnest(v_version.key) as k (name)),
            v_version.document
            - '{load_date,load_end_date,hash_diff,record_source,change_reason,ended_by,end_reason}'::text[] - v_version.key
        )::integer;
    end loop;
    if v_satellite is null then
        perform admin.fn_refuse_change(
            404, 'version_exists', format('There was no %s %s at %s', p_thing, quote_literal(p_name), coalesce(p_at::text, 'NULL')),
            'Look into admin.config_history. Things are tenant, customer, provider, model (provider/model), price '
            '(provider/model/meter), compliance_fact (provider/model/level), plan, subscription (customer/plan), '
            'legal_entity, billing_profile (customer), tax_rate (tax), exchange_rate (currency), charge_rule, usage_limit, usage_export, '
            'usage_export_customer (export/customer), routing_rule and routing_rule_test; tokens and keys are issued anew. What did not exist then is deleted.'
        );
    end if;
    return case v_restored when 0 then 'it is as it was then' else format('%s as of %s', p_name, p_at) end;
end
$$;

comment on function admin.restore(text, text, timestamptz) is
'Brings a tenant, customer, provider, model, price, compliance_fact, plan, subscription, legal_entity,
billing_profile, tax_rate, exchange_rate, charge_rule, usage_limit, usage_export, usage_export_customer, routing_rule or routing_rule_test back to what it was at a moment, as a new version.';
