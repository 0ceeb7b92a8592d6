create view business_vault.provider_comparison as
with measured as (
    select
        d.period,
        d.period_hours,
        w.provider,
        sum(w.total_requests)::bigint as total_requests,
        sum(w.successful_requests)::bigint as successful_requests,
        sum(w.failed_requests)::bigint as failed_requests,
        round(100.0 * sum(w.failed_requests) / nullif(sum(w.successful_requests + w.failed_requests), 0), 2)
        as error_rate_percent,
        round(100 - 100.0 * sum(w.unavailable_requests) / nullif(sum(w.total_requests), 0), 2) as availability_percent,
        round(
            sum(w.average_latency_ms::numeric * w.successful_requests)
            / nullif(sum(w.successful_requests) filter (where w.average_latency_ms is not null), 0)
        )::integer as average_latency_ms,
        (percentile_disc(0.5) within group (order by w.p95_latency_ms)) as typical_p95_latency_ms,
        max(w.p99_latency_ms) as worst_p99_latency_ms,
        sum(w.total_tokens)::bigint as total_tokens,
        round(
            1000000 * sum(w.average_cost_per_token_usd * w.total_tokens) / nullif(sum(w.total_tokens), 0), 4
        ) as cost_per_million_tokens_usd
    from (values ('hour', 1), ('day', 24), ('week', 168), ('month', 720)) as d (period, period_hours)
    inner join business_vault.provider_performance as w
        on w.window_started_at >= statement_timestamp() - make_interval(hours => d.period_hours)
    where w.window_started_at >= statement_timestamp() - interval '720 hours'
    group by d.period, d.period_hours, w.provider
)

select
    m.*,
    rank() over (partition by m.period order by m.cost_per_million_tokens_usd) as cost_rank,
    rank() over (partition by m.period order by m.average_latency_ms) as latency_rank,
    rank() over (partition by m.period order by m.availability_percent desc nulls last) as availability_rank
from measured as m;

comment on view business_vault.provider_comparison is
'Providers side by side over the last hour, day, week and month (30 days), over the attempts of all tenants.';
comment on column business_vault.provider_comparison.period is 'hour, day, week or month: how far back it looks.';
comment on column business_vault.provider_comparison.period_hours is 'The same in hours.';
comment on column business_vault.provider_comparison.provider is 'The provider.';
comment on column business_vault.provider_comparison.total_requests is 'Attempts.';
comment on column business_vault.provider_comparison.successful_requests is 'Attempts that were answered in full.';
comment on column business_vault.provider_comparison.failed_requests is
'Attempts that failed for the provider''s reasons.';
comment on column business_vault.provider_comparison.error_rate_percent is
'Failed attempts among those that succeeded or failed.';
comment on column business_vault.provider_comparison.availability_percent is
'Attempts in which the provider was there.';
comment on column business_vault.provider_comparison.average_latency_ms is 'Average time to the end of a full answer.';
comment on column business_vault.provider_comparison.typical_p95_latency_ms is
'The middle one of the windows'' 95th percentiles.';
comment on column business_vault.provider_comparison.worst_p99_latency_ms is
'The highest of the windows'' 99th percentiles.';
comment on column business_vault.provider_comparison.total_tokens is 'Input, cache, output and other tokens together.';
comment on column business_vault.provider_comparison.cost_per_million_tokens_usd is
'What it asked for a million tokens on average.';
comment on column business_vault.provider_comparison.cost_rank is '1 for the cheapest a token in the period.';
comment on column business_vault.provider_comparison.latency_rank is '1 for the quickest on average in the period.';
comment on column business_vault.provider_comparison.availability_rank is '1 for the most available in the period.';
