-- Who calls and what is called, through the views of admin: bench.tenants tenants in six time zones, bench.customers
-- customers (every third with a second token), twelve models at four providers, each with four prices.
insert into admin.provider (provider, adapter_kind, api_endpoint, needs_key, compliance_levels)
select 'history-' || n, 'openai', 'http://127.0.0.1:9/v1', false, '{HIPAA,EU}' from generate_series(1, 4) as n;
insert into admin.model (provider, model, quality_score)
select 'history-' || 1 + n % 4, 'history-model-' || lpad(n::text, 2, '0'), 5 * n from generate_series(1, 12) as n;
insert into admin.price (provider, model, meter, usd_per_million)
select 'history-' || 1 + n % 4, 'history-model-' || lpad(n::text, 2, '0'), m.meter, trim_scale(n * m.usd)
from generate_series(1, 12) as n
cross join (values ('input', 0.15), ('output', 0.6), ('cache_read', 0.0375), ('cache_write', 0.1875)) as m (meter, usd);

insert into admin.tenant (tenant, time_zone, markup_percent, baseline_model)
select
    'history-tenant-' || lpad(n::text, 2, '0'),
    (array['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Sydney', 'America/Los_Angeles'])[1 + n % 6],
    10 + n % 3 * 10, case when n % 2 = 0 then 'history-model-12' end
from generate_series(1, current_setting('bench.tenants')::integer) as n;
insert into admin.customer (customer, tenant, priority_tier, markup_percent, compliance, cost_budget_monthly)
select
    'history-' || lpad(n::text, 5, '0'),
    'history-tenant-' || lpad((1 + (n - 1) % current_setting('bench.tenants')::integer)::text, 2, '0'),
    (array['STANDARD', 'PREMIUM', 'BASIC'])[1 + n % 3], case when n % 10 = 0 then 35 end,
    case when n % 7 = 1 then '{HIPAA}'::text[] else '{}' end, case when n % 5 = 0 then 1000000 end
from generate_series(1, current_setting('bench.customers')::integer) as n;
select count(t.token_id)
from generate_series(1, current_setting('bench.customers')::integer) as n
cross join lateral generate_series(1, case when n % 3 = 0 then 2 else 1 end) as k
cross join lateral admin.sp_issue_token(
    'history-' || lpad(n::text, 5, '0'), sha256(convert_to('history ' || n || '/' || k, 'UTF8')), 'ov_…', '\x00',
    jsonb_build_object('token_name', 'token ' || k)
) as t;
insert into admin.usage_limit (limit_name, tenant, unit, period, amount)
select 'history-limit-' || n, 'history-tenant-' || lpad(n::text, 2, '0'), 'USD', 'MONTH', 100000000
from generate_series(1, current_setting('bench.tenants')::integer) as n;

-- They have been there since before the first request. What triggers keep up does not hold these dates.
set local session_replication_role = replica;
do $$
declare
    v_table regclass;
begin
    foreach v_table in array array[
        'auth.tenant_h', 'auth.tenant_s', 'gateway.customer_h', 'gateway.customer_config_s', 'gateway.token_h',
        'gateway.token_s', 'gateway.ai_provider_h', 'gateway.ai_provider_s', 'gateway.model_h', 'gateway.offer_l',
        'gateway.offer_s', 'gateway.offer_price_s', 'gateway.routing_rule_h', 'gateway.routing_rule_s'
    ]::regclass[] loop
        execute format('update %s set load_date = %L where true', v_table, (
            current_setting('bench.from')::timestamptz - interval '1 day'
        )) || case when v_table::text like '%\_s' then ' and load_end_date is null' else '' end;
    end loop;
end
$$;
set local session_replication_role = origin;
