-- Written by hand and not out of grants.sql: whoever gives a right gives it twice.
begin;
select plan(11);
create temporary view held as
select a.grantee::regrole::text as role, 'function' as kind, p.oid::regproc::text as thing, a.privilege_type::text as privilege
from pg_catalog.pg_proc as p
cross join lateral pg_catalog.aclexplode(p.proacl) as a
where a.grantee <> p.proowner and p.pronamespace = any('{util,auth,gateway,ops,business_vault,admin,pgmq}'::regnamespace[])
union
select a.grantee::regrole::text, 'table', c.oid::regclass::text, a.privilege_type
from pg_catalog.pg_class as c
cross join lateral pg_catalog.aclexplode(c.relacl) as a
where a.grantee <> c.relowner and c.relnamespace = any('{util,auth,gateway,ops,business_vault,admin,pgmq}'::regnamespace[])
union
select a.grantee::regrole::text, 'schema', n.nspname, a.privilege_type
from pg_catalog.pg_namespace as n
cross join lateral pg_catalog.aclexplode(n.nspacl) as a
where a.grantee <> n.nspowner and n.nspname in ('util', 'auth', 'gateway', 'ops', 'business_vault', 'admin', 'pgmq');

select set_eq($$select h.thing from held as h where h.role = 'onevault_app' and h.kind = 'function'$$, array[
    'gateway.sp_route_request', 'gateway.sp_route_requests', 'gateway.sp_release_message', 'gateway.sp_reclaim_message',
    'gateway.sp_return_messages', 'gateway.sp_list_models',
    'gateway.sp_get_usage', 'gateway.sp_get_billing', 'gateway.sp_read_metrics', 'gateway.sp_check_ready',
    'gateway.sp_record_feedback', 'gateway.sp_rehash_token'
], 'the front: its doors');
select set_eq($$select h.kind, h.thing, h.privilege from held as h where h.role = 'onevault_app' and h.kind <> 'function'$$,
    $$values ('schema', 'gateway', 'USAGE')$$, 'and no table');
select set_eq($$select h.thing from held as h where h.role = 'onevault_worker' and h.kind = 'function'$$, array[
    'gateway.sp_read_messages', 'gateway.sp_renew_messages', 'gateway.sp_return_messages', 'gateway.sp_record_result',
    'gateway.sp_record_results', 'gateway.sp_read_provider_key', 'gateway.sp_run_due_jobs',
    'gateway.sp_read_webhooks', 'gateway.sp_record_webhook', 'gateway.sp_read_usage_events', 'gateway.sp_record_usage_events',
    'gateway.sp_take_key_validations', 'gateway.sp_record_key_validation'
], 'the worker: its doors');
select set_eq($$select h.kind, h.thing, h.privilege from held as h where h.role = 'onevault_worker' and h.kind <> 'function'$$,
    $$values ('schema', 'gateway', 'USAGE')$$, 'and no table');
select set_eq($$select h.thing from held as h where h.role = 'onevault_dba' and h.kind = 'function'$$, array[
    'admin.change_plan', 'admin.explain_route', 'admin.replay', 'admin.why', 'admin.what_if', 'admin.test_rules',
    'admin.config_diff', 'admin.restore', 'util.fn_as_of', 'util.fn_is_in_force',
    'admin.sp_identify_webhook_secret', 'admin.sp_set_webhook_secret', 'admin.sp_test_webhook', 'admin.fn_explain_webhook',
    'admin.sp_identify_usage_export', 'admin.sp_set_usage_export_key', 'admin.resend_usage_events', 'admin.fn_explain_usage_export',
    'admin.restore_customer', 'admin.sp_check_house', 'admin.sp_identify_customer',
    'admin.sp_issue_token', 'admin.sp_find_token', 'admin.sp_identify_provider_key', 'admin.sp_set_provider_key', 'admin.sp_sync_price_book',
    'admin.sp_compare_prices',
    'admin.sp_read_key_validation',
    'gateway.sp_close_month', 'admin.sp_read_bill', 'admin.record_payment', 'admin.top_up',
    'admin.record_refund', 'admin.void_invoice', 'admin.issue_credit_note',
    'util.fn_current_tenant', 'util.fn_choose_tenant', 'util.fn_sees_all_tenants', 'util.fn_may_see_all_tenants',
    'util.fn_window_number', 'util.fn_window_begin', 'gateway.fn_describe_terms', 'gateway.fn_sum_pictures',
    'gateway.fn_cost_extras', 'gateway.fn_cost_baseline',
    'ops.fn_usage_counted_to', 'ops.fn_usage_open_key', 'ops.fn_check_from',
    'gateway.sp_import_provider_usage', 'gateway.sp_forget_provider_usage', 'gateway.sp_rerate', 'ops.fn_find_unreconciled',
    'ops.fn_name_usage_model', 'ops.fn_find_usage_price',
    'util.fn_request_key_at', 'util.fn_request_time'
], 'the DBA: doors, and what views ask in the name of whoever reads');
select set_eq(
    $$select h.thing, h.privilege from held as h where h.role = 'onevault_dba' and h.kind = 'table' and h.privilege <> 'SELECT'$$,
    $$select 'admin.' || v, p
        from unnest('{tenant,customer,token,provider,provider_key,model,price,compliance_fact,plan,subscription,usage_limit,routing_rule,
            routing_rule_test,legal_entity,billing_profile,tax_rate,exchange_rate,
            usage_export,usage_export_customer,charge_rule,credit}'::text[]) as v
        cross join unnest('{INSERT,UPDATE,DELETE}'::text[]) as p
        union all values ('ops.admission', 'UPDATE')$$,
    'and views that he edits, and how long calls may wait'
);
select is_empty(
    $$select h.thing from held as h where h.role = 'onevault_dba' and h.kind = 'table' and h.privilege = 'SELECT'
        and h.thing !~ '^(admin|business_vault)\.' and h.thing not in ('ops.current_principal', 'ops.current_offer', 'ops.scope_fact',
            'ops.offer_health', 'ops.offer_speed', 'ops.offer_wait', 'ops.provider_rate', 'ops.circuit_breaker', 'ops.key_breaker', 'ops.key_validation',
            'ops.job', 'ops.dead_message', 'ops.price_book', 'ops.request_state', 'ops.unknown_request',
            'ops.unaccounted_request', 'ops.unbalanced_request', 'ops.budget_invariant', 'ops.stray_message',
            'ops.overdue_request', 'ops.foreign_row', 'ops.unpriced_attempt', 'ops.unbalanced_entry', 'ops.invariant_violation', 'ops.admission',
            'ops.reconciliation', 'ops.reconciliation_request')$$,
    'beside them he sees the hot state, no vault and no secret'
);
select set_eq($$select h.thing from held as h where h.role = 'onevault_bi' and h.kind = 'function'$$, array[
    'util.fn_current_tenant', 'util.fn_choose_tenant', 'util.fn_sees_all_tenants', 'util.fn_may_see_all_tenants',
    'util.fn_window_number', 'util.fn_window_begin', 'gateway.fn_describe_terms', 'gateway.fn_sum_pictures',
    'gateway.fn_cost_extras', 'gateway.fn_cost_baseline',
    'ops.fn_usage_counted_to', 'ops.fn_usage_open_key'
], 'BI: what its views ask');
select is_empty(
    $$select h.kind, h.thing, h.privilege from held as h
        where h.role = 'onevault_bi' and h.kind <> 'function' and not (
            h.kind = 'schema' and h.thing = 'business_vault' and h.privilege = 'USAGE'
            or h.kind = 'table' and h.thing ~ '^business_vault\.' and h.privilege = 'SELECT'
        )$$,
    'and reads business_vault'
);
select is_empty(
    $$select h.thing, h.privilege from held as h
        where h.role = 'onevault_reader' and (
            h.kind = 'function' or h.kind = 'table' and (h.privilege <> 'SELECT' or h.thing ~ 'key|principal|reservation')
        )$$,
    'the reader reads, and no key'
);
select is_empty(
    $$select h.role, h.thing from held as h
        where h.role not in ('onevault_app', 'onevault_worker', 'onevault_dba', 'onevault_bi', 'onevault_reader')
            and not (h.role = 'onevault_owner' and h.thing ~ '^business_vault')$$,
    'nobody else has anything'
);
select * from finish();
rollback;
