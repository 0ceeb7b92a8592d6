-- THE TABLE OF CONTENTS. Everything that is code in the database, in the order in which a request walks through
-- it: a token is looked up (ops.principal), a rule is matched, offers are ranked, the worst case is reserved in
-- the scopes, the decision is queued; a worker reads it, talks to the provider, and its result is booked, priced
-- and charged; rollups and views tell of it; DBAs change what it all rests on. This file is applied by every
-- migrate, in one transaction.
set local role onevault_owner;

-- One clock, one hash, one delta rule
\ir util/hash_key.sql
\ir util/hash_diff.sql
\ir util/fn_fill_defaults.sql
\ir util/fn_as_of.sql
\ir util/fn_load_hub.sql
\ir util/fn_lock_satellite.sql
\ir util/fn_load_satellite.sql
\ir util/fn_close_satellite.sql
\ir util/fn_request_key.sql
\ir util/fn_window_number.sql
\ir util/fn_reference.sql
\ir util/fn_bound_tenants.sql
\ir util/fn_close_catalog.sql

-- What routing reads, kept up by triggers on the vault
\ir ops/tg_principal_past.sql
\ir ops/fn_list_own_keys.sql
\ir billing/fn_list_entitlements.sql
\ir ops/fn_list_charge_rules.sql
\ir ops/current_principal.sql
\ir budgets/fn_lock_limits.sql
\ir billing/fn_cover_expired.sql
\ir billing/fn_measure_prepaid.sql
\ir ops/current_limit.sql
\ir ops/fn_refresh_principals.sql
\ir ops/fn_refresh_limits.sql
\ir ops/fn_renumber_reservations.sql
\ir ops/tg_principal_source_changed.sql
\ir ops/tg_subscription_s_changed.sql
\ir ops/tg_charge_rule_changed.sql
\ir ops/tg_customer_billing_s_changed.sql
\ir ops/fn_next_epoch.sql
\ir ops/tg_epoch_moved.sql
\ir ops/fn_complete_rate.sql
\ir ops/fn_list_rates.sql
\ir ops/fn_name_grammars.sql
\ir ops/fn_most_inputs.sql
\ir ops/current_offer.sql
\ir ops/circuit_breaker.sql
\ir ops/key_breaker.sql
\ir ops/fn_refresh_offers.sql
\ir ops/fn_refresh_provider_rates.sql
\ir ops/tg_offer_source_changed.sql
\ir rules/fn_type_of_attribute.sql
\ir rules/fn_flatten_conditions.sql
\ir rules/fn_compile_clause.sql
\ir rules/fn_check_condition.sql
\ir rules/fn_compile_condition.sql
\ir rules/fn_compile_conditions.sql
\ir rules/fn_choose_gates.sql
\ir rules/fn_list_targets.sql
\ir ops/fn_refresh_rules.sql
select ops.fn_refresh_rules(array(select h.routing_rule_hk from gateway.routing_rule_h as h));
select ops.fn_refresh_principals(array(
    select h.customer_hk
    from gateway.customer_provider_keys_h as h
    inner join ops.principal as p on h.customer_hk = p.customer_hk
    where p.own_keys is distinct from ops.fn_list_own_keys(h.customer_hk)
    union
    select l.customer_hk
    from gateway.subscription_l as l
    inner join ops.principal as p on l.customer_hk = p.customer_hk
    where p.entitlements is distinct from ops.fn_list_entitled_days(l.customer_hk)
));
\ir ops/scope_fact.sql
\ir ops/limit_fact.sql
select ops.fn_refresh_limits(array(
    select c.usage_limit_hk
    from ops.current_limit as c
    left join ops.usage_limit as l on c.usage_limit_hk = l.usage_limit_hk
    where
        l.usage_limit_hk is null
        and (c.provider_key_hk is not null or c.usage_limit_hk = ops.fn_prepaid_limit_hk(c.customer_hk))
));
\ir ops/fn_recount_scopes.sql
\ir ops/fn_rebuild_hot_state.sql

-- Notify: what happened is told at a customer's webhook_url. The event commits with its cause; workers deliver it
\ir webhooks/fn_notify.sql
\ir webhooks/fn_delay_webhook.sql
\ir webhooks/fn_plan_try.sql
\ir webhooks/fn_class_answer.sql
\ir webhooks/fn_book_webhook.sql
\ir webhooks/sp_read_webhooks.sql
\ir webhooks/sp_record_webhook.sql

-- Decide: who, whether, where, for how much
\ir routing/fn_refuse.sql
\ir routing/fn_is_allowed_address.sql
\ir routing/fn_check_principal.sql
\ir routing/fn_estimate_prompt_tokens.sql
\ir rules/fn_measure_budget.sql
\ir rules/fn_describe_call.sql
\ir rules/fn_is_within.sql
\ir rules/fn_rules_at.sql
\ir routing/fn_offers_at.sql
\ir routing/fn_list_offers.sql
\ir rules/fn_match_rule.sql
\ir rules/fn_deny_call.sql
\ir routing/fn_resolve_model.sql
\ir routing/fn_count_calls.sql
\ir routing/fn_open_own_keys.sql
\ir routing/fn_put_own_keys.sql
\ir routing/fn_ask_extras.sql
\ir routing/fn_list_resting.sql
\ir routing/fn_shorten_answer.sql
\ir routing/fn_hold_extras.sql
\ir results/fn_find_price.sql
\ir charging/fn_open_charge_rules.sql
\ir charging/fn_find_charge_terms.sql
\ir charging/fn_charge_meter.sql
\ir charging/fn_describe_terms.sql
\ir charging/fn_hold_charge.sql
\ir charging/fn_list_charges.sql
\ir routing/fn_name_route.sql
\ir routing/fn_pass_betas.sql
\ir routing/fn_read_call.sql
\ir routing/fn_rank_offers.sql
\ir routing/fn_score_offers.sql
\ir routing/fn_rank_own_offers.sql
\ir routing/fn_name_strategy.sql
\ir routing/fn_needs_scores.sql
\ir routing/fn_hold_own.sql
\ir routing/fn_choose_candidates.sql
\ir routing/fn_all_meet.sql
\ir routing/fn_refuse_capability.sql
\ir routing/fn_refuse_unroutable.sql
\ir routing/fn_keep_question.sql
\ir routing/fn_keep_conversation.sql
\ir routing/fn_add_caller.sql
\ir routing/fn_decide.sql
\ir routing/fn_choose_hedge.sql
\ir routing/fn_choose_queue.sql
\ir routing/fn_keep_features.sql
\ir results/fn_read_receipt.sql
\ir routing/fn_lock_keys.sql
\ir routing/fn_check_key.sql
\ir routing/fn_use_key.sql
\ir routing/fn_leave_keys.sql
\ir budgets/fn_reserve_scope.sql
\ir budgets/fn_release_scope.sql
\ir budgets/fn_refuse_scope.sql
\ir budgets/fn_reserve_call.sql
\ir budgets/fn_measure_room.sql
\ir budgets/fn_check_limits.sql
\ir budgets/fn_take_limits.sql
\ir budgets/fn_refuse_limit.sql
\ir budgets/fn_fit_call.sql
\ir queue/fn_send_work.sql
\ir queue/fn_measure_backlog.sql
\ir queue/fn_refuse_backlog.sql
\ir queue/fn_work_waits.sql
\ir routing/sp_route_request.sql
\ir routing/sp_route_requests.sql

-- Carry: the queue between front and worker
\ir results/fn_close_request.sql
\ir queue/fn_note_dispatch.sql
\ir queue/fn_show_messages.sql
\ir queue/fn_drop_message.sql
\ir queue/fn_find_message.sql
\ir queue/fn_bury_message.sql
\ir queue/fn_take_messages.sql
\ir queue/sp_read_messages.sql
\ir queue/sp_renew_messages.sql
\ir queue/sp_return_messages.sql
\ir queue/sp_reclaim_message.sql
\ir queue/sp_release_message.sql
\ir queue/fn_delete_messages.sql

-- Book: usage, cost, charge
\ir results/fn_explain_error.sql
\ir results/fn_find_rate.sql
\ir results/fn_price_others.sql
\ir results/fn_count_tokens.sql
\ir results/fn_sum_pictures.sql
\ir results/fn_price_attempt.sql
\ir charging/fn_charge_attempt.sql
\ir charging/fn_charge_again.sql
\ir results/fn_make_attempt.sql
\ir results/fn_book_lost_calls.sql
\ir results/fn_make_request.sql
\ir results/fn_note_attempts.sql
\ir results/fn_settle_result.sql
\ir budgets/fn_release_limits.sql
\ir exports/fn_write_usage_events.sql
\ir results/fn_write_bookings.sql
\ir results/fn_book_result.sql
\ir results/fn_note_dead_key.sql
\ir results/fn_move_key_health.sql
\ir results/fn_move_health.sql
\ir results/sp_record_results.sql

-- Hand over: what was charged is an event of each export that concerns the customer, in the same commit; workers
-- deliver it
\ir exports/tg_charge_adjustment_s_told.sql
\ir exports/fn_book_usage_events.sql
\ir exports/fn_pack_usage_events.sql
\ir exports/fn_list_due_lanes.sql
\ir exports/sp_read_usage_events.sql
\ir exports/sp_record_usage_events.sql

-- By the clock
\ir schedule/fn_keep_partitions.sql
\ir schedule/fn_find_order.sql
\ir schedule/tg_api_request_s_ordered.sql
\ir schedule/fn_begin_month.sql
\ir schedule/fn_copy_month.sql
\ir schedule/fn_outlast_transactions.sql
\ir schedule/fn_swap_month.sql
\ir schedule/fn_finish_month.sql
\ir schedule/fn_order_months.sql
\ir schedule/fn_drop_copies.sql
\ir schedule/fn_forget_conversations.sql
\ir schedule/fn_forget_idempotency_keys.sql
\ir schedule/fn_sweep_requests.sql
\ir webhooks/fn_tell_circuits.sql
\ir webhooks/fn_tell_bills.sql
\ir webhooks/fn_tell_budgets.sql
\ir schedule/fn_run_job.sql
\ir schedule/sp_run_due_jobs.sql
select ops.fn_keep_partitions();
select ops.fn_drop_copies();
select ops.fn_refresh_provider_rates(array(select h.provider_hk from gateway.ai_provider_h as h));

-- What must hold whatever is killed
\ir ops/fn_check_from.sql
\ir ops/request_state.sql
\ir ops/unknown_request.sql
\ir ops/unpriced_attempt.sql
\ir ops/unbalanced_entry.sql
\ir ops/unaccounted_request.sql
\ir ops/unbalanced_request.sql
\ir ops/budget_invariant.sql
\ir ops/stray_message.sql
\ir ops/overdue_request.sql
\ir ops/foreign_row.sql
\ir ops/invariant_violation.sql

-- Reconcile: what providers say that was used and asked, against the books
\ir reconcile/fn_sum_provider_usage.sql
\ir reconcile/fn_name_usage_model.sql
\ir reconcile/fn_find_usage_price.sql
\ir reconcile/booked_day.sql
\ir reconcile/billable_attempt.sql
\ir reconcile/booked_usage.sql
\ir reconcile/imported_usage.sql
\ir reconcile/reconciliation.sql
\ir reconcile/reconciliation_request.sql
\ir reconcile/fn_find_unreconciled.sql

-- Rate again: what a corrected price changes of what was booked
\ir rerate/fn_recharge.sql
\ir rerate/fn_cost_units.sql
\ir rerate/fn_list_month_rates.sql
\ir rerate/fn_reprice_attempts.sql
\ir rerate/fn_rerate.sql
\ir rerate/sp_rerate.sql

-- Tell: rollups by the clock; views for BI, made and owned by the reader, who sees one tenant's rows; doors for
-- customers
\ir rollup/fn_usage_marks.sql
\ir rollup/fn_count_usage.sql
\ir rollup/fn_roll_up_usage.sql
\ir rollup/fn_mend_usage.sql
\ir rollup/fn_load_spending.sql
\ir rollup/fn_note_late_requests.sql
\ir rollup/fn_roll_up_spending.sql
\ir rollup/fn_count_attempts.sql
\ir rollup/fn_pack_performance.sql
\ir rollup/fn_load_performance.sql
\ir rollup/fn_measure_providers.sql
\ir rollup/fn_move_peak.sql
\ir rollup/fn_measure_speed.sql
\ir rollup/fn_measure_waits.sql
\ir rollup/fn_learn_usage.sql
\ir rollup/fn_learn_quality.sql
\ir billing/fn_cost_baseline.sql
\ir billing/fn_cost_extras.sql
set local role onevault_reader;
\ir business_vault/usage_part.sql
\ir business_vault/usage_hourly.sql
\ir business_vault/usage_daily.sql
\ir business_vault/cost_analysis.sql
\ir business_vault/request_detail.sql
\ir business_vault/routing_decision.sql
\ir business_vault/compliance_event.sql
\ir business_vault/savings.sql
\ir business_vault/customer_spending.sql
\ir business_vault/usage_limit_status.sql
\ir business_vault/budget_status.sql
\ir business_vault/provider_performance.sql
\ir business_vault/provider_comparison.sql
\ir business_vault/offer_quality.sql
\ir business_vault/invoice.sql
\ir business_vault/invoice_line.sql
\ir business_vault/ledger_line.sql
\ir business_vault/customer_balance.sql
\ir business_vault/credit_balance.sql
\ir business_vault/charge_adjustment.sql
grant select on all tables in schema business_vault to onevault_owner with grant option;
set local role onevault_owner;

-- Bill: the ledger, what a month costs line by line, invoices and what becomes of them, the close of a month
\ir util/fn_round_half_even.sql
\ir billing/tg_keep_books.sql
\ir billing/tg_invoice_s_insert.sql
\ir billing/fn_refresh_prepaid.sql
\ir billing/tg_charge_adjustment_s_added.sql
\ir billing/fn_post_entry.sql
\ir billing/fn_write_off_credits.sql
\ir billing/fn_count_decimals.sql
\ir billing/fn_read_billing.sql
\ir billing/fn_list_fees.sql
\ir billing/fn_apply_credits.sql
\ir billing/fn_take_promotions.sql
\ir billing/fn_list_usage.sql
\ir billing/fn_pack_usage.sql
\ir billing/fn_list_daily_charges.sql
\ir billing/fn_list_old_charges.sql
\ir billing/fn_list_late_charges.sql
\ir billing/fn_list_included.sql
\ir billing/fn_draft_lines.sql
\ir billing/fn_make_invoice.sql
\ir billing/fn_write_document.sql
\ir billing/fn_read_invoice.sql
\ir billing/fn_bill_document.sql
\ir billing/sp_read_bill.sql
\ir billing/fn_load_invoice.sql
\ir billing/fn_store_invoice.sql
\ir billing/fn_post_invoice.sql
\ir billing/fn_settle_by_credit.sql
\ir billing/fn_note_billing_status.sql
\ir billing/fn_find_zone.sql
\ir billing/fn_measure_savings.sql
\ir billing/fn_bill_month.sql
\ir billing/fn_note_spending.sql
\ir billing/fn_refuse_close.sql
\ir billing/fn_refuse_unreconciled.sql
\ir billing/fn_refuse_books.sql
\ir billing/sp_close_month.sql
\ir billing/fn_find_invoice.sql
\ir billing/record_payment.sql
\ir billing/fn_post_refund.sql
\ir billing/record_refund.sql
\ir billing/void_invoice.sql
\ir billing/fn_apply_note.sql
\ir billing/issue_credit_note.sql

-- Tell customers
\ir doors/fn_reply.sql
\ir doors/sp_list_models.sql
\ir doors/fn_read_moment.sql
\ir doors/fn_group_usage.sql
\ir doors/sp_get_usage.sql
\ir doors/fn_bill_usage.sql
\ir doors/sp_get_billing.sql
\ir doors/sp_record_feedback.sql
\ir doors/sp_rehash_token.sql
\ir doors/sp_read_metrics.sql
\ir doors/sp_check_ready.sql

-- Change: what DBAs edit, and the keys at providers
\ir util/fn_load_satellites.sql
\ir reconcile/sp_import_provider_usage.sql
\ir reconcile/sp_forget_provider_usage.sql
\ir keys/sp_read_provider_key.sql
\ir keys/fn_own_key_hk.sql
\ir keys/fn_ask_key.sql
\ir keys/sp_take_key_validations.sql
\ir keys/sp_record_key_validation.sql
\ir admin/fn_refuse_change.sql
\ir admin/fn_explain_constraint.sql
\ir admin/fn_save_satellite.sql
\ir admin/fn_end_satellite.sql
\ir admin/fn_check_name.sql
\ir admin/fn_lock_name.sql
\ir admin/fn_refuse_readonly.sql
\ir admin/fn_find.sql
\ir util/fn_make_tenant_role.sql
\ir admin/fn_clean.sql
\ir admin/fn_clean_targets.sql
\ir admin/fn_check_rate_limit.sql
\ir admin/tenant.sql
\ir admin/tg_tenant.sql
\ir webhooks/fn_check_webhook_url.sql
\ir webhooks/fn_end_webhook_secrets.sql
\ir exports/fn_find_export.sql
\ir admin/usage_export.sql
\ir admin/customer.sql
\ir admin/fn_pack_customer.sql
\ir admin/tg_customer.sql
\ir admin/restore_customer.sql
\ir admin/token.sql
\ir admin/fn_pack_token.sql
\ir admin/tg_token.sql
\ir admin/sp_identify_customer.sql
\ir admin/sp_issue_token.sql
\ir admin/sp_find_token.sql
\ir admin/provider.sql
\ir admin/fn_pack_provider.sql
\ir admin/tg_provider.sql
\ir admin/provider_key.sql
\ir admin/tg_provider_key.sql
\ir keys/sp_identify_provider_key.sql
\ir keys/sp_set_provider_key.sql
\ir webhooks/sp_identify_webhook_secret.sql
\ir webhooks/sp_set_webhook_secret.sql
\ir webhooks/sp_test_webhook.sql
\ir webhooks/fn_explain_webhook.sql
\ir webhooks/webhook_delivery.sql
\ir admin/tg_usage_export.sql
\ir admin/tg_usage_export_customer.sql
\ir exports/resend_usage_events.sql
\ir exports/sp_identify_usage_export.sql
\ir exports/sp_set_usage_export_key.sql
\ir exports/fn_explain_usage_export.sql
\ir exports/usage_export_delivery.sql
\ir keys/sp_read_key_validation.sql
\ir keys/sealed_secret.sql
\ir keys/token_pepper.sql
\ir keys/sp_rewrap_secret.sql
\ir keys/sp_announce_master_key.sql
\ir admin/model.sql
\ir admin/fn_check_score.sql
\ir admin/fn_check_settings.sql
\ir admin/fn_pack_model.sql
\ir admin/tg_model.sql
\ir admin/price.sql
\ir admin/fn_price_key.sql
\ir admin/tg_price.sql
\ir admin/compliance_fact.sql
\ir admin/tg_compliance_fact.sql
\ir admin/fn_clean_party.sql
\ir admin/legal_entity.sql
\ir admin/tax_rate.sql
\ir admin/exchange_rate.sql
\ir admin/billing_profile.sql
\ir admin/fn_save_legal_entity.sql
\ir admin/tg_legal_entity.sql
\ir admin/tg_tax_rate.sql
\ir admin/tg_exchange_rate.sql
\ir admin/tg_billing_profile.sql
\ir admin/credit.sql
\ir admin/tg_credit.sql
\ir admin/tg_credit_delete.sql
\ir admin/top_up.sql
\ir admin/plan.sql
\ir admin/subscription.sql
\ir admin/fn_keep_closed_days.sql
\ir admin/fn_save_plan.sql
\ir admin/tg_plan.sql
\ir admin/usage_limit.sql
\ir admin/tg_usage_limit.sql
\ir admin/fn_save_subscription.sql
\ir admin/tg_subscription.sql
\ir admin/change_plan.sql
\ir admin/charge_rule.sql
\ir admin/tg_charge_rule.sql
\ir admin/routing_rule.sql
\ir admin/fn_pack_rule.sql
\ir rules/fn_implies_clause.sql
\ir admin/fn_warn_of_shadow.sql
\ir admin/tg_routing_rule.sql
\ir admin/fn_read_request.sql
\ir admin/routing_rule_test.sql
\ir admin/tg_routing_rule_test.sql
\ir admin/config_history.sql
\ir admin/config_diff.sql
\ir admin/fn_restore_version.sql
\ir admin/restore.sql
\ir admin/fn_sync_providers.sql
\ir admin/fn_sync_models.sql
\ir admin/sp_compare_prices.sql
\ir admin/fn_sync_prices.sql
\ir admin/sp_sync_price_book.sql
\ir admin/fn_explain_drop.sql
\ir admin/fn_read_principal.sql
\ir admin/fn_explain_choice.sql
\ir admin/fn_close_full_limits.sql
\ir admin/fn_find_budget_room.sql
\ir admin/explain_route.sql
\ir admin/test_rules.sql
\ir admin/fn_read_decision.sql
\ir admin/replay.sql
\ir admin/why.sql
\ir admin/fn_list_profiles.sql
\ir admin/what_if.sql
\ir admin/fn_check_logging.sql
\ir webhooks/fn_check_webhooks.sql
\ir exports/fn_check_usage_exports.sql
\ir admin/sp_check_house.sql
\ir admin/seed.sql

-- Who may do what
\ir grants.sql
