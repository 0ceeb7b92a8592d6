-- Adds to ops.usage_hourly what was booked since the watermark and moves it, in one transaction: a run that fails
-- leaves nothing, the next one goes on where the last one stopped, and no fact is added twice. It stays a minute behind
-- the clock, longer than a booking may take to commit (statement_timeout of the worker); younger facts are counted by
-- those who read. Short steps and six seconds in all, so that a backlog is worked off over several runs.
create or replace function ops.fn_roll_up_usage(
    p_until timestamptz default util.current_load_date() - interval '1 minute'
) returns timestamptz
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_stop_at timestamptz := clock_timestamp() + interval '6 seconds';
    v_mark ops.watermark;
    v_lowest bytea;
    v_step interval := interval '10 minutes';
    v_began_at timestamptz;
    v_to timestamptz;
begin
    insert into ops.watermark (rollup_name, rolled_up_to, counted_to, open_key)
    select 'usage', f.moment, f.moment, '\x'
    from (
        select coalesce(util.fn_request_time(min(s.api_request_hk)) - interval '1 minute', p_until) as moment
        from gateway.api_request_s as s
    ) as f
    on conflict (rollup_name) do nothing;
    if found then
        delete from ops.usage_hourly as u where true;
    end if;
    select w.* into v_mark from ops.watermark as w where w.rollup_name = 'usage' for update;
    if v_mark.rolled_up_to < v_mark.counted_to then
        update ops.watermark as w set rolled_up_to = least(w.rolled_up_to, date_trunc('hour', v_mark.rolled_up_to, 'UTC'))
        where w.rollup_name = 'usage mended';
    end if;

    -- Facts are as late as the longest request; those of an import may be older, and are found for 35 days.
    v_lowest := least(v_mark.open_key, util.fn_request_key_at(v_mark.counted_to - interval '35 days'));
    while v_mark.counted_to < p_until and clock_timestamp() < v_stop_at loop
        v_began_at := clock_timestamp();
        v_to := least(v_mark.counted_to + v_step, p_until);
        insert into ops.usage_hourly as u
        select c.* from ops.fn_count_usage(v_lowest, '\xff', v_mark.counted_to, v_to) as c
        on conflict (customer_hk, usage_hour, usage_day, token_hk, offer_hk, request_type, response_status)
        do update set
            request_count = u.request_count + excluded.request_count,
            input_uncached_tokens = u.input_uncached_tokens + excluded.input_uncached_tokens,
            cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
            cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
            output_tokens = u.output_tokens + excluded.output_tokens,
            reasoning_tokens = u.reasoning_tokens + excluded.reasoning_tokens,
            other_tokens = u.other_tokens + excluded.other_tokens,
            provider_cost_usd = u.provider_cost_usd + excluded.provider_cost_usd,
            markup_usd = u.markup_usd + excluded.markup_usd,
            customer_cost_usd = u.customer_cost_usd + excluded.customer_cost_usd,
            house_loss_usd = u.house_loss_usd + excluded.house_loss_usd,
            own_key_cost_usd = u.own_key_cost_usd + excluded.own_key_cost_usd,
            latency_count = u.latency_count + excluded.latency_count,
            latency_ms_sum = u.latency_ms_sum + excluded.latency_ms_sum,
            first_byte_count = u.first_byte_count + excluded.first_byte_count,
            first_byte_ms_sum = u.first_byte_ms_sum + excluded.first_byte_ms_sum;
        v_mark.counted_to := v_to;
        v_step := case when clock_timestamp() < v_began_at + interval '0.25 seconds'
            then least(v_step * 2, interval '40 minutes') else greatest(v_step / 2, interval '1 minute') end;
    end loop;

    -- Later facts are those booked since, still open, or younger than now: one snapshot tells their lowest key. In a
    -- backlog the old one is low enough, and a new one would have to read all of it.
    update ops.watermark as w set
        rolled_up_to = v_mark.counted_to,
        counted_to = v_mark.counted_to,
        open_key = case when v_mark.counted_to < p_until then v_mark.open_key else least(
            util.fn_request_key_at(clock_timestamp() - interval '1 minute'),
            (select min(r.api_request_hk) from ops.reservation as r),
            (
                select min(s.api_request_hk) from (
                    select f.api_request_hk from gateway.api_request_s as f
                    where f.api_request_hk >= v_lowest and f.load_date >= v_mark.counted_to
                    offset 0
                ) as s
            )
        ) end
    where w.rollup_name = 'usage';
    return v_mark.counted_to;
end
$$;

comment on function ops.fn_roll_up_usage(timestamptz) is
'Rolls up usage by hour; returns the moment of booking up to which it is rolled up now.';
