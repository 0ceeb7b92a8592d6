drop view if exists business_vault.provider_comparison, business_vault.provider_performance;
create view business_vault.provider_performance as
select
    s.measurement_timestamp as window_started_at,
    s.measurement_window_minutes as window_minutes,
    p.provider_bk::text as provider,
    s.total_requests,
    s.successful_requests,
    s.failed_requests,
    s.unavailable_requests,
    s.average_latency_ms,
    s.p95_latency_ms,
    s.p99_latency_ms,
    s.average_first_byte_ms,
    s.p95_first_byte_ms,
    s.error_rate_percent,
    s.availability_percent,
    s.tokens_processed as total_tokens,
    s.average_cost_per_token as average_cost_per_token_usd,
    s.quality_score,
    s.load_date as measured_at
from gateway.provider_performance_s as s
inner join gateway.provider_performance_h as h on s.performance_hk = h.performance_hk
inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
where s.load_end_date is null;

comment on view business_vault.provider_performance is
'How each provider did in windows of five minutes, over the attempts of all tenants that ended in them.';
comment on column business_vault.provider_performance.window_started_at is 'Beginning of the window.';
comment on column business_vault.provider_performance.window_minutes is 'Its length.';
comment on column business_vault.provider_performance.provider is 'The provider.';
comment on column business_vault.provider_performance.total_requests is 'Attempts that ended in the window.';
comment on column business_vault.provider_performance.successful_requests is 'Attempts that were answered in full.';
comment on column business_vault.provider_performance.failed_requests is
'Attempts that failed for the provider''s reasons.';
comment on column business_vault.provider_performance.unavailable_requests is
'Failed attempts in which it was overloaded, down, unreachable, too late, or broke off.';
comment on column business_vault.provider_performance.average_latency_ms is 'Average time to the end of a full answer.';
comment on column business_vault.provider_performance.p95_latency_ms is '95 of 100 full answers had ended by then.';
comment on column business_vault.provider_performance.p99_latency_ms is '99 of 100 full answers had ended by then.';
comment on column business_vault.provider_performance.average_first_byte_ms is 'Average time to the first byte.';
comment on column business_vault.provider_performance.p95_first_byte_ms is '95 of 100 answers had begun by then.';
comment on column business_vault.provider_performance.error_rate_percent is
'Failed attempts among those that succeeded or failed.';
comment on column business_vault.provider_performance.availability_percent is
'Attempts in which the provider was there.';
comment on column business_vault.provider_performance.total_tokens is 'Input, cache, output and other tokens together.';
comment on column business_vault.provider_performance.average_cost_per_token_usd is
'What it asked for a token on average.';
comment on column business_vault.provider_performance.quality_score is
'Average score out of 100 that customers gave its answers in this window; NULL when nobody gave one.';
comment on column business_vault.provider_performance.measured_at is 'When it was measured.';
