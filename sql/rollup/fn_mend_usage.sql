-- An hour is counted once more when it is an hour old: a booking that committed later than any service's may is added
-- then. Only ever adds; what it added, spending has to look at again.
create or replace function ops.fn_mend_usage() returns bigint
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_stop_at timestamptz := clock_timestamp() + interval '3 seconds';
    v_counted_to timestamptz;
    v_hour timestamptz;
    v_rows bigint;
    v_mended bigint := 0;
begin
    select w.counted_to into v_counted_to from ops.watermark as w where w.rollup_name = 'usage' for update;
    if v_counted_to is null then
        return 0;
    end if;
    insert into ops.watermark (rollup_name, rolled_up_to)
    select 'usage mended', date_trunc('hour', least(util.fn_request_time(min(s.api_request_hk)), v_counted_to), 'UTC')
    from gateway.api_request_s as s
    on conflict (rollup_name) do nothing;
    select w.rolled_up_to into v_hour from ops.watermark as w where w.rollup_name = 'usage mended';

    while v_hour <= v_counted_to - interval '2 hours' and clock_timestamp() < v_stop_at loop
        insert into ops.usage_hourly as u
        select c.* from ops.fn_count_usage(
            util.fn_request_key_at(v_hour - interval '1 minute'), util.fn_request_key_at(v_hour + interval '61 minutes'),
            '-infinity', v_counted_to
        ) as c
        where c.usage_hour = v_hour
        on conflict (customer_hk, usage_hour, usage_day, token_hk, offer_hk, request_type, response_status)
        do update set
            request_count = excluded.request_count, input_uncached_tokens = excluded.input_uncached_tokens,
            cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
            output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
            provider_cost_usd = excluded.provider_cost_usd, markup_usd = excluded.markup_usd,
            customer_cost_usd = excluded.customer_cost_usd, house_loss_usd = excluded.house_loss_usd,
            latency_count = excluded.latency_count, latency_ms_sum = excluded.latency_ms_sum,
            first_byte_count = excluded.first_byte_count, first_byte_ms_sum = excluded.first_byte_ms_sum
        where excluded.request_count > u.request_count;
        get diagnostics v_rows = row_count;
        if v_rows > 0 then
            update ops.watermark as w set rolled_up_to = least(w.rolled_up_to, v_hour) where w.rollup_name = 'spending';
        end if;
        v_mended := v_mended + v_rows;
        v_hour := v_hour + interval '1 hour';
    end loop;
    update ops.watermark as w set rolled_up_to = v_hour where w.rollup_name = 'usage mended';
    return v_mended;
end
$$;

comment on function ops.fn_mend_usage() is
'Counts the hours that ended an hour ago once more and adds what was missing; returns how many rows were mended.';
