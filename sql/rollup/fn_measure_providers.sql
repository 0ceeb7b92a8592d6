-- Five-minute windows of attempts by the moment they were booked, so that a window that is over never changes. A
-- provider fails when the reason is its own; it is unavailable when it was not there at all. What a customer did wrong
-- or broke off, how it went with his own key, and a worker or front of ours that died, is held against nobody.
create or replace function ops.fn_measure_providers(
    p_until timestamptz default util.current_load_date() - interval '1 minute'
) returns timestamptz
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_stop_at timestamptz := clock_timestamp() + interval '3 seconds';
    v_until timestamptz := date_bin('5 minutes', least(p_until, clock_timestamp()), 'epoch');
    v_from timestamptz;
    v_to timestamptz;
    v_window record;
begin
    insert into ops.watermark (rollup_name, rolled_up_to)
    select 'provider performance', coalesce(
        date_bin('5 minutes', util.fn_request_time(min(a.api_request_hk)) - interval '1 minute', 'epoch'), v_until
    )
    from gateway.api_request_attempt_s as a
    on conflict (rollup_name) do nothing;
    select w.rolled_up_to into v_from from ops.watermark as w where w.rollup_name = 'provider performance' for update;

    while v_from < v_until and clock_timestamp() < v_stop_at loop
        v_to := least(v_from + interval '30 minutes', v_until);
        for v_window in
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
            cross join lateral (
                select
                    a.error_class in ('overloaded', 'server_error', 'timeout', 'connect', 'truncated_stream')
                    or a.error_class in ('auth_dead', 'money_dead', 'rate_limited') and not a.is_own_key as is_failure,
                    a.error_class in ('overloaded', 'server_error', 'timeout', 'connect', 'truncated_stream')
                    as is_unavailable
            ) as c
            where
                a.api_request_hk >= util.fn_request_key_at(v_from - interval '35 days')
                and a.load_date >= v_from and a.load_date < v_to
            group by a.provider_hk, h.provider_bk, date_bin('5 minutes', a.load_date, 'epoch')
            order by 3, 2
        loop
            perform ops.fn_load_performance(to_jsonb(v_window));
        end loop;
        v_from := v_to;
        update ops.watermark as w set rolled_up_to = v_from where w.rollup_name = 'provider performance';
    end loop;
    return v_from;
end
$$;

comment on function ops.fn_measure_providers(timestamptz) is
'Measures providers in windows of five minutes; returns the end of the last window measured.';
