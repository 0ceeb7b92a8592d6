create or replace function ops.fn_load_performance(p_window jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_started_at timestamptz := p_window ->> 'started_at';
    v_name text := to_char(v_started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"');
    v_hk bytea := util.hash_key(p_window ->> 'provider_bk', v_name);
    v_total numeric := (p_window ->> 'total')::numeric;
    v_judged numeric := (p_window ->> 'successful')::numeric + (p_window ->> 'failed')::numeric;
begin
    perform util.fn_load_hub(
        'gateway.provider_performance_h', v_hk, (p_window ->> 'provider_bk') || '|' || v_name, 'rollup',
        jsonb_build_object('provider_hk', p_window -> 'provider_hk')
    );
    return util.fn_load_satellite(
        'gateway.provider_performance_s', jsonb_build_object('performance_hk', v_hk), jsonb_build_object(
            'measurement_timestamp', v_started_at, 'measurement_window_minutes', 5, 'total_requests', v_total,
            'successful_requests', p_window -> 'successful', 'failed_requests', p_window -> 'failed',
            'unavailable_requests', p_window -> 'unavailable',
            'average_latency_ms', p_window -> 'average_latency_ms',
            'p95_latency_ms', p_window -> 'latencies_ms' -> 0, 'p99_latency_ms', p_window -> 'latencies_ms' -> 1,
            'average_first_byte_ms', p_window -> 'average_first_byte_ms',
            'p95_first_byte_ms', p_window -> 'p95_first_byte_ms',
            'error_rate_percent', round(100 * (p_window ->> 'failed')::numeric / nullif(v_judged, 0), 2),
            'availability_percent', round(100 - 100 * (p_window ->> 'unavailable')::numeric / v_total, 2),
            'tokens_processed', p_window -> 'tokens',
            'average_cost_per_token',
            round((p_window ->> 'cost_usd')::numeric / nullif((p_window ->> 'tokens')::numeric, 0), 10)
        ), 'rollup'
    );
end
$$;

comment on function ops.fn_load_performance(jsonb) is 'Loads one measured window of a provider into the vault.';
