-- Windows of five minutes that are over, a run at a time.
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
            select c.* from ops.fn_count_attempts(v_from, v_to) as c order by c.started_at, c.provider_bk
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
