-- EVERY PRIVILEGE, one screen a role. Nobody has what does not stand here: not PUBLIC, not the monitoring roles.
-- Roles are siblings; none inherits from another. Doors (sp_) are functions of the owner that check for themselves.

-- PUBLIC: nothing
revoke all on schema util, auth, gateway, ops, business_vault, admin, pgmq from public;
revoke all on all tables in schema util, auth, gateway, ops, business_vault, admin, pgmq from public;
revoke all on all sequences in schema util, auth, gateway, ops, business_vault, admin, pgmq from public;
revoke all on all routines in schema util, auth, gateway, ops, business_vault, admin, pgmq from public;
revoke all on type pgmq.message_record, pgmq.queue_record, pgmq.metrics_result from public;

-- Nor what PostgreSQL gives to everybody; the session's own role must do it. Nor what the reader will make
set local role none;
select util.fn_close_catalog();
set local role onevault_reader;
alter default privileges revoke execute on functions from public;
alter default privileges revoke usage on types from public;
set local role onevault_owner;

-- Monitoring: no look into queues
revoke all on schema pgmq from pg_monitor;
revoke all on all tables in schema pgmq from pg_monitor;
revoke all on all sequences in schema pgmq from pg_monitor;

-- What a role once had and this file no longer names is taken back
revoke all on schema util, auth, gateway, ops, business_vault, admin, pgmq
from onevault_app, onevault_worker, onevault_dba, onevault_bi;
revoke all on all tables in schema util, auth, gateway, ops, business_vault, admin, pgmq
from onevault_app, onevault_worker, onevault_dba, onevault_bi;
revoke all on all routines in schema util, auth, gateway, ops, business_vault, admin, pgmq
from onevault_app, onevault_worker, onevault_dba, onevault_bi;
revoke all on all tables in schema util, auth, gateway, ops from onevault_reader;

-- onevault_app: the front. No table, its doors
grant usage on schema gateway to onevault_app;
grant execute on function gateway.sp_route_request(bytea, jsonb, text, boolean) to onevault_app;
grant execute on function gateway.sp_route_requests(jsonb, text, boolean, integer) to onevault_app;
grant execute on function gateway.sp_release_message(text, bigint, integer) to onevault_app;
grant execute on function gateway.sp_reclaim_message(text, bigint, integer, bigint) to onevault_app;
grant execute on function gateway.sp_return_messages(jsonb, integer) to onevault_app;
grant execute on function gateway.sp_list_models(bytea, text) to onevault_app;
grant execute on function gateway.sp_get_usage(bytea, jsonb, text) to onevault_app;
grant execute on function gateway.sp_get_billing(bytea, text, text) to onevault_app;
grant execute on function gateway.sp_record_feedback(bytea, text, numeric, text) to onevault_app;
grant execute on function gateway.sp_rehash_token(bytea, bytea, text) to onevault_app;
grant execute on function gateway.sp_read_metrics(), gateway.sp_check_ready() to onevault_app;

-- onevault_worker: the queue drain. No table, its doors
grant usage on schema gateway to onevault_worker;
grant execute on function gateway.sp_read_messages(integer, integer) to onevault_worker;
grant execute on function gateway.sp_renew_messages(jsonb, integer) to onevault_worker;
grant execute on function gateway.sp_return_messages(jsonb, integer) to onevault_worker;
grant execute on function gateway.sp_record_result(jsonb) to onevault_worker;
grant execute on function gateway.sp_record_results(jsonb) to onevault_worker;
grant execute on function gateway.sp_read_provider_key(bytea) to onevault_worker;
grant execute on function gateway.sp_take_key_validations(integer) to onevault_worker;
grant execute on function gateway.sp_record_key_validation(text, text, text) to onevault_worker;
grant execute on function gateway.sp_run_due_jobs(integer) to onevault_worker;
grant execute on function gateway.sp_read_webhooks(integer, integer) to onevault_worker;
grant execute on function gateway.sp_record_webhook(bigint, integer, integer, text, integer, bigint) to onevault_worker;
grant execute on function gateway.sp_read_usage_events(integer, integer) to onevault_worker;
grant execute on function gateway.sp_record_usage_events(jsonb) to onevault_worker;

-- onevault_dba: edits the views of admin, which keep history; looks at the hot state
grant usage on schema admin, ops, gateway to onevault_dba;
grant select, insert, update, delete on
admin.tenant, admin.customer, admin.token, admin.provider, admin.provider_key, admin.model, admin.price,
admin.compliance_fact, admin.plan, admin.subscription, admin.usage_limit, admin.routing_rule, admin.routing_rule_test,
admin.legal_entity, admin.billing_profile, admin.tax_rate, admin.exchange_rate, admin.charge_rule, admin.credit,
admin.usage_export, admin.usage_export_customer
to onevault_dba;
grant select on
admin.tenant_history, admin.customer_history, admin.token_history, admin.provider_history,
admin.provider_key_history, admin.model_history, admin.price_history, admin.compliance_fact_history,
admin.plan_history, admin.subscription_history, admin.usage_limit_history, admin.routing_rule_history,
admin.routing_rule_test_history, admin.legal_entity_history, admin.billing_profile_history, admin.tax_rate_history,
admin.exchange_rate_history, admin.charge_rule_history, admin.credit_history,
admin.usage_export_history, admin.usage_export_customer_history
to onevault_dba;
grant select on admin.config_history, admin.webhook_delivery, admin.usage_export_delivery to onevault_dba;
grant execute on function
admin.fn_explain_webhook(text), admin.fn_explain_usage_export(text), admin.config_diff(timestamptz, timestamptz),
admin.restore(text, text, timestamptz), admin.change_plan(text, text, text, text), admin.explain_route(text, jsonb),
admin.replay(uuid), admin.why(uuid), admin.what_if(timestamptz, timestamptz), admin.test_rules(),
gateway.sp_close_month(date, text, boolean), admin.sp_read_bill(text, date, timestamptz),
admin.record_payment(text, numeric, text), admin.record_refund(text, numeric, text),
admin.top_up(text, numeric, text, date), admin.void_invoice(text, text, boolean),
admin.issue_credit_note(text, numeric, text), admin.restore_customer(text), admin.sp_check_house(),
admin.sp_identify_customer(text), admin.sp_issue_token(text, bytea, text, bytea, jsonb),
admin.sp_identify_provider_key(text, text, text),
admin.sp_set_provider_key(text, text, text, bytea, bytea, text, boolean),
admin.sp_read_key_validation(text, text, text), admin.sp_sync_price_book(text, jsonb, jsonb),
admin.sp_compare_prices(jsonb), admin.sp_find_token(bytea), admin.sp_identify_webhook_secret(text),
admin.sp_set_webhook_secret(text, bytea, bytea, bytea, text, interval), admin.sp_test_webhook(text),
admin.sp_identify_usage_export(text), admin.sp_set_usage_export_key(text, bytea, bytea, text),
admin.resend_usage_events(text, text, text), ops.fn_check_from(), util.fn_is_in_force(timestamptz, timestamptz),
gateway.sp_import_provider_usage(text, jsonb), gateway.sp_forget_provider_usage(text, date, date, text),
gateway.sp_rerate(date, text, text, boolean),
ops.fn_find_unreconciled(date), ops.fn_name_usage_model(text), ops.fn_find_usage_price(bytea, text, date, text),
util.fn_request_key_at(timestamptz), util.fn_request_time(bytea)
to onevault_dba;
grant select on ops.current_principal, ops.current_offer, ops.scope_fact to onevault_dba;
grant select, update on ops.admission to onevault_dba;
grant select on ops.offer_health, ops.offer_speed, ops.offer_wait, ops.provider_rate, ops.circuit_breaker,
ops.key_breaker, ops.key_validation
to onevault_dba;
grant select on ops.job, ops.dead_message, ops.price_book to onevault_dba;
grant select on
ops.request_state, ops.unknown_request, ops.unaccounted_request, ops.unbalanced_request, ops.budget_invariant,
ops.stray_message, ops.overdue_request, ops.foreign_row, ops.unpriced_attempt, ops.unbalanced_entry,
ops.invariant_violation
to onevault_dba;
grant execute on function util.fn_as_of() to onevault_dba;

-- … and compares the books with what providers say
grant usage on schema gateway to onevault_dba;
grant select on ops.reconciliation, ops.reconciliation_request to onevault_dba;

-- onevault_reader: nobody's login; owns the views of business_vault, and reads what they show and no secret
grant select on auth.tenant_h, gateway.customer_h, gateway.token_h to onevault_reader;
grant select (tenant_hk, load_date, load_end_date, time_zone, baseline_model) on auth.tenant_s to onevault_reader;
grant select (customer_hk, load_end_date, cost_budget_daily, cost_budget_monthly) on gateway.customer_config_s
to onevault_reader;
grant select (token_hk, load_end_date, token_name, cost_budget_daily, cost_budget_monthly) on gateway.token_s
to onevault_reader;
grant select on gateway.ai_provider_h, gateway.model_h, gateway.offer_l to onevault_reader;
grant select (provider_hk, load_date, load_end_date, compliance_levels) on gateway.ai_provider_s to onevault_reader;
grant select on gateway.offer_price_s to onevault_reader;
grant select (routing_rule_hk, load_end_date, rule_name) on gateway.routing_rule_s to onevault_reader;
grant select on gateway.api_request_h, gateway.api_request_s, gateway.api_request_attempt_s to onevault_reader;
grant select on gateway.api_request_feedback_s, gateway.offer_quality_s to onevault_reader;
grant select on gateway.customer_spending_h, gateway.customer_spending_s to onevault_reader;
grant select on gateway.charge_adjustment_s, gateway.late_request_s to onevault_reader;
grant select on gateway.invoice_h, gateway.invoice_s, gateway.invoice_line_s to onevault_reader;
grant select on gateway.credit_h, gateway.credit_s to onevault_reader;
grant select on gateway.ledger_entry_h, gateway.ledger_entry_s, gateway.ledger_posting_s to onevault_reader;
grant select on gateway.provider_performance_h, gateway.provider_performance_s to onevault_reader;
grant select on ops.usage_hourly, ops.scope_state, ops.usage_limit, util.month_r to onevault_reader;

-- onevault_bi: reads business_vault, rows filtered by tenant; a DBA reads it too. Functions that a view or a policy
-- calls run with the rights of whoever reads
grant usage on schema business_vault to onevault_bi, onevault_dba;
grant select on all tables in schema business_vault to onevault_bi, onevault_dba;
grant execute on function
util.fn_current_tenant(), util.fn_choose_tenant(name, name, text), util.fn_sees_all_tenants(),
util.fn_may_see_all_tenants(name, name), util.fn_window_number(timestamp, text),
util.fn_window_begin(integer, text, text), ops.fn_usage_counted_to(), ops.fn_usage_open_key(),
gateway.fn_describe_terms(jsonb), gateway.fn_sum_pictures(jsonb), gateway.fn_cost_extras(jsonb, jsonb),
gateway.fn_cost_baseline(
    bigint, bigint, bigint, bigint, numeric, numeric, numeric, numeric, numeric, numeric
) to onevault_bi, onevault_dba;
