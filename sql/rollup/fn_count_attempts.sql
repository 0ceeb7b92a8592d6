-- Five-minute windows of attempts by the moment they were booked, so that a window that is over never changes. A
-- provider fails when the reason is its own; it is unavailable when it was not there at all. What a customer did wrong
-- or broke off, how it went with his own key, and a worker or front of ours that died, is held against nobody.
create or replace function ops.fn_count_attempts(p_booked_from timestamptz, p_booked_before timestamptz)
returns table (
    provider_hk bytea, provider_bk text, started_at timestamptz, total bigint, successful bigint, failed bigint,
    unavailable bigint, average_latency_ms integer, latencies_ms integer[], average_first_byte_ms integer,
    p95_first_byte_ms integer, tokens bigint, cost_usd numeric
)
language sql stable
begin atomic
    select
        a.provider_hk,
        h.provider_bk,
        date_bin('5 minutes', a.load_date, 'epoch') as started_at,
        count(*) as total,
        count(*) filter (where a.outcome = 'SUCCESS') as successful,
        count(*) filter (where c.is_failure) as failed,
        count(*) filter (where c.is_unavailable) as unavailable,
        round(avg(a.latency_ms) filter (where a.outcome = 'SUCCESS'))::integer as average_latency_ms,
        percentile_disc(array[0.95, 0.99]) within group (order by a.latency_ms)
        filter (where a.outcome = 'SUCCESS') as latencies_ms,
        round(avg(a.first_byte_ms))::integer as average_first_byte_ms,
        percentile_disc(0.95) within group (order by a.first_byte_ms) as p95_first_byte_ms,
        coalesce(sum(
            coalesce(a.input_uncached_tokens, 0) + coalesce(a.cache_read_tokens, 0)
            + coalesce(a.cache_write_tokens, 0) + coalesce(a.output_tokens, 0) + coalesce(a.other_tokens, 0)
        ), 0)::bigint as tokens,
        sum(a.provider_cost) as cost_usd
    from gateway.api_request_attempt_s as a
    inner join gateway.ai_provider_h as h on a.provider_hk = h.provider_hk
    cross join lateral (values (
        a.error_class in ('overloaded', 'server_error', 'timeout', 'connect', 'truncated_stream')
        or a.error_class in ('auth_dead', 'money_dead', 'rate_limited') and not a.is_own_key,
        a.error_class in ('overloaded', 'server_error', 'timeout', 'connect', 'truncated_stream')
    )) as c (is_failure, is_unavailable)
    where
        a.api_request_hk >= util.fn_request_key_at(p_booked_from - interval '35 days')
        and a.load_date >= p_booked_from and a.load_date < p_booked_before
    group by a.provider_hk, h.provider_bk, date_bin('5 minutes', a.load_date, 'epoch');
end;

comment on function ops.fn_count_attempts(timestamptz, timestamptz) is
'How each provider did in each window of five minutes, over the attempts that were booked within a range of time.';
