create or replace function ops.fn_pack_performance(p_window jsonb) returns jsonb
language sql immutable
return jsonb_build_object(
    'measurement_timestamp', p_window -> 'started_at', 'measurement_window_minutes', 5,
    'total_requests', p_window -> 'total', 'successful_requests', p_window -> 'successful',
    'failed_requests', p_window -> 'failed', 'unavailable_requests', p_window -> 'unavailable',
    'average_latency_ms', p_window -> 'average_latency_ms',
    'p95_latency_ms', p_window -> 'latencies_ms' -> 0, 'p99_latency_ms', p_window -> 'latencies_ms' -> 1,
    'average_first_byte_ms', p_window -> 'average_first_byte_ms',
    'p95_first_byte_ms', p_window -> 'p95_first_byte_ms',
    'error_rate_percent', round(
        100 * (p_window ->> 'failed')::numeric
        / nullif((p_window ->> 'successful')::numeric + (p_window ->> 'failed')::numeric, 0), 2
    ),
    'availability_percent', round(
        100 - 100 * (p_window ->> 'unavailable')::numeric / (p_window ->> 'total')::numeric, 2
    ),
    'tokens_processed', p_window -> 'tokens',
    'average_cost_per_token',
    round((p_window ->> 'cost_usd')::numeric / nullif((p_window ->> 'tokens')::numeric, 0), 10),
    'quality_score', p_window -> 'quality_score'
);

comment on function ops.fn_pack_performance(jsonb) is
'The columns of provider_performance_s from a window that ops.fn_count_attempts counted.';
