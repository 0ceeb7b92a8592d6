-- Scores are told in a window about answers of the five weeks before it.
create or replace function ops.fn_measure_quality(p_provider_hk bytea, p_started_at timestamptz) returns numeric
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
select round(100 * avg(f.score), 2)
from gateway.api_request_feedback_s as f
inner join gateway.offer_l as l on f.offer_hk = l.offer_hk
where
    l.provider_hk = p_provider_hk and f.load_date >= p_started_at and f.load_date < p_started_at + interval '5 minutes'
    and f.api_request_hk >= util.fn_request_key_at(p_started_at - interval '35 days')
    and f.api_request_hk < util.fn_request_key_at(p_started_at + interval '5 minutes')
$$;

comment on function ops.fn_measure_quality(bytea, timestamptz) is
'Average score out of 100 that customers gave a provider''s answers in five minutes; NULL when nobody gave one.';

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
            perform ops.fn_load_performance(to_jsonb(v_window) || jsonb_build_object(
                'quality_score', ops.fn_measure_quality(v_window.provider_hk, v_window.started_at)
            ));
        end loop;
        v_from := v_to;
        update ops.watermark as w set rolled_up_to = v_from where w.rollup_name = 'provider performance';
    end loop;
    return v_from;
end
$$;

comment on function ops.fn_measure_providers(timestamptz) is
'Measures providers in windows of five minutes; returns the end of the last window measured.';
