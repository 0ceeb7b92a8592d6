-- An hour is counted once more when it is an hour old: a booking that committed later than any service's may is added
-- then, and to what was spent in its month. Only ever adds; but what stands under another day, because its tenant has
-- moved to another time zone meanwhile, moves to the one that it has now, and would be there twice. So does the part of
-- an hour that is of another day, where days begin at half past.
create or replace function ops.fn_mend_usage() returns bigint
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_stop_at timestamptz := clock_timestamp() + interval '3 seconds';
    v_counted_to timestamptz;
    v_hour timestamptz;
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_due record;
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
        for v_due in
            with counted as materialized (
                select c.* from ops.fn_count_usage(
                    util.fn_request_key_at(v_hour - interval '1 minute'),
                    util.fn_request_key_at(v_hour + interval '61 minutes'), '-infinity', v_counted_to
                ) as c
                where c.usage_hour = v_hour
            ),

            moved as (
                delete from ops.usage_hourly as u
                where
                    u.usage_hour = v_hour
                    and exists (
                        select from counted as c
                        where
                            c.customer_hk = u.customer_hk and c.token_hk = u.token_hk and c.offer_hk = u.offer_hk
                            and c.request_type = u.request_type and c.response_status = u.response_status
                    )
                    and not exists (
                        select from counted as c
                        where
                            c.customer_hk = u.customer_hk and c.token_hk = u.token_hk and c.offer_hk = u.offer_hk
                            and c.request_type = u.request_type and c.response_status = u.response_status
                            and c.usage_day = u.usage_day
                    )
                returning u.tenant_hk, u.customer_hk, u.usage_day
            ),

            mended as (
                insert into ops.usage_hourly as u
                select c.* from counted as c
                on conflict (customer_hk, usage_hour, usage_day, token_hk, offer_hk, request_type, response_status)
                do update set
                    request_count = excluded.request_count, input_uncached_tokens = excluded.input_uncached_tokens,
                    cache_read_tokens = excluded.cache_read_tokens, cache_write_tokens = excluded.cache_write_tokens,
                    output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
                    provider_cost_usd = excluded.provider_cost_usd, markup_usd = excluded.markup_usd,
                    customer_cost_usd = excluded.customer_cost_usd, house_loss_usd = excluded.house_loss_usd,
                    own_key_cost_usd = excluded.own_key_cost_usd, other_tokens = excluded.other_tokens,
                    latency_count = excluded.latency_count, latency_ms_sum = excluded.latency_ms_sum,
                    first_byte_count = excluded.first_byte_count, first_byte_ms_sum = excluded.first_byte_ms_sum
                where
                    excluded.request_count > u.request_count
                    or excluded is distinct from u and exists (
                        select from counted as c
                        where
                            c.customer_hk = u.customer_hk and c.token_hk = u.token_hk and c.offer_hk = u.offer_hk
                            and c.request_type = u.request_type and c.response_status = u.response_status
                            and c.usage_day <> u.usage_day
                    )
                returning u.tenant_hk, u.customer_hk, u.usage_day
            )

            select n.tenant_bk, c.customer_hk, c.customer_bk, date_trunc('month', m.usage_day::timestamp)::date as month
            from (
                select a.* from mended as a
                union all
                select b.* from moved as b
            ) as m
            inner join gateway.customer_h as c on m.customer_hk = c.customer_hk
            inner join auth.tenant_h as n on m.tenant_hk = n.tenant_hk
            group by 1, 2, 3, 4
            order by 1, 3, 4
        loop
            perform set_config('onevault.tenant', v_due.tenant_bk, true);
            perform ops.fn_load_spending(v_due.customer_hk, v_due.customer_bk, v_due.month);
            v_mended := v_mended + 1;
        end loop;
        v_hour := v_hour + interval '1 hour';
    end loop;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    update ops.watermark as w set rolled_up_to = v_hour where w.rollup_name = 'usage mended';
    return v_mended;
end
$$;

comment on function ops.fn_mend_usage() is
'Counts hours that ended an hour ago once more and adds what was missing; returns how many customers it was added to.';
