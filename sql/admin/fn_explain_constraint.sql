-- The tables' checks are the rules; here is what each one says to a person. A rule without a line here is told by its
-- name, which is a sentence too.
create or replace function admin.fn_explain_constraint(p_constraint text, out message text, out hint text)
language sql immutable parallel safe
begin atomic
    select
        coalesce(max(e.message), 'This breaks the rule: ' || replace(p_constraint, '_', ' ')),
        coalesce(max(e.hint), 'Look at the constraint of this name for what is allowed.')
    from (
        values
        ('amount_is_not_negative', 'A limit cannot be negative', 'Use an amount from 0 up.'),
        ('adapter_settings_is_an_object', 'adapter_settings is no JSON object',
            'Write it like {"stream_usage": true}.'),
        ('address_policy_is_known', 'This address policy is not known', 'Use FULL, SHORTENED or NONE.'),
        ('allowed_addresses_name_somebody', 'This list of addresses lets nobody in, or is too long',
            'Name 1 to 100 networks like {10.0.0.0/8,2001:db8::/32}, or use NULL for any address.'),
        ('api_endpoint_is_http', 'This endpoint is no http address',
            'Write it like https://api.example.com/v1; only the sandbox runs in-process.'),
        ('budgets_are_not_negative', 'A budget cannot be negative',
            'Use an amount in USD from 0 up, or NULL for no limit.'),
        ('capabilities_are_known', 'One of these capabilities is not known', 'Use chat, embedding and image.'),
        ('conditions_is_an_object', 'The conditions of a rule are no JSON object',
            'Use {} for a rule that always applies.'),
        ('fallbacks_follow_a_target', 'Fallbacks without a target would never be tried',
            'Give the rule a target_provider, a target_model or targets; without any all offers are tried.'),
        ('features_are_known', 'One of these features is not known', 'Use stream, tools, vision and structured.'),
        ('key_status_is_known', 'This key status is not known', 'Use ACTIVE, REVOKED or EXPIRED.'),
        ('limits_are_not_negative', 'A spending limit cannot be negative',
            'Use an amount in USD from 0 up, or NULL for none.'),
        ('limits_are_positive', 'A limit of a provider must be above 0',
            'Use a whole number from 1 up, or NULL for no limit.'),
        ('markup_percent_is_not_below_minus_100', 'A markup below -100 % would pay the customer',
            'Use a percentage from -100 up, or NULL for the tenant''s.'),
        ('max_attempts_is_sensible', 'max_attempts is out of range', 'Use a number from 1 to 10.'),
        ('monthly_fee_is_not_negative', 'A monthly fee cannot be negative', 'Use USD a month from 0 up.'),
        ('meter_is_known', 'This meter is not known', 'Use input, output, cache_read or cache_write.'),
        ('minutes_allow_something', 'A limit by the minute must allow at least 1',
            'Use 1 or more; is_active = false of a customer stops all his calls.'),
        ('money_has_no_minute', 'Money is limited by the day or longer', 'Use DAY, WEEK, MONTH or TOTAL.'),
        ('parallel_calls_have_no_period', 'PARALLEL is about calls at the same time, the others about a period',
            'Leave period NULL for PARALLEL; use MINUTE, DAY, WEEK, MONTH or TOTAL for the others.'),
        ('period_is_known', 'This period is not known', 'Use MINUTE, DAY, WEEK, MONTH or TOTAL.'),
        ('raise_has_an_amount_and_an_end', 'A raise needs an amount and an end',
            'Fill raised_amount and raised_until, or neither.'),
        ('raise_is_a_raise', 'The raised amount is not above the amount', 'Use more, or change amount itself.'),
        ('soft_limits_have_a_long_period', 'A soft limit only tells, and minutes and parallel calls are not told about',
            'Use DAY, WEEK, MONTH or TOTAL, or is_hard = true.'),
        ('unit_is_known', 'This unit is not known', 'Use USD, TOKENS, REQUESTS or PARALLEL.'),
        ('price_is_not_negative', 'A price cannot be negative', 'Use USD per million tokens from 0 up.'),
        ('price_source_is_known', 'This price source is not known',
            'Use HAND, or PRICE_BOOK to give the price back to the price book.'),
        ('priority_tier_is_known', 'This tier is not known', 'Use BASIC, STANDARD or PREMIUM.'),
        ('provider_bk_has_no_slash', 'A provider''s name has neither slashes nor spaces',
            'Use a short name like openai; customers write provider/model.'),
        ('quality_by_type_is_an_object', 'quality_by_type is no JSON object', 'Write it like {"summary": 82.5}.'),
        ('rate_limit_is_between_1_and_60_million', 'A rate limit must be above 0',
            'Use requests a minute from 1 up, or NULL for no limit of its own; is_active = false stops all.'),
        ('request_is_an_object', 'The request of a test is no JSON object',
            'Write it like {"model": "auto"}; {} is any call.'),
        ('rule_ends_after_it_begins', 'This rule would end before it begins', 'Use a valid_to after valid_from.'),
        ('rule_has_one_kind_of_target', 'A rule has one target or weighted targets, not both',
            'Fill target_provider and target_model, or targets.'),
        ('rule_has_one_scope', 'A rule is for a tenant, a customer or a token, not for several of them',
            'Fill one of tenant, customer and token_id, or none for all calls; conditions can narrow it further.'),
        ('scopes_are_known', 'One of these scopes is not known', 'Use inference, usage, billing and admin.'),
        ('strategy_is_known', 'This strategy is not known', 'Use OPTIMIZE, WEIGHTED or LEAST_OUTSTANDING.'),
        ('subscription_has_a_beginning', 'A subscription needs a first day',
            'Use a date like 2026-01-31, or none for today.'),
        ('test_expects_something', 'A test expects a provider, a model or a rule, or that the call is denied',
            'Fill one of expected_provider, expected_model and expected_rule, or set is_denied alone.'),
        ('time_zone_is_known', 'This time zone is not known', 'Use an IANA name like Europe/Berlin.'),
        ('token_digest_is_256_bits', 'This is no digest of a token', 'Issue tokens with "onevault token issue".'),
        ('token_limits_are_positive', 'Token limits of a model must be above 0', 'Use whole numbers from 1 up.'),
        ('token_status_is_known', 'This token status is not known', 'Use ACTIVE or REVOKED.'),
        ('valid_to_is_after_valid_from', 'This would end before it begins', 'Use a valid_to after valid_from.'),
        ('weighted_rules_have_targets', 'A rule without targets has nothing to draw from',
            'Give it targets with weights, or another strategy.'),
        ('webhook_url_is_https', 'A webhook needs an https address', 'Write it like https://example.com/hook, or NULL.')
    ) as e (rule, message, hint)
    where e.rule = p_constraint;
end;

comment on function admin.fn_explain_constraint(text) is
'What a broken check means and what to write instead, as sentences.';
