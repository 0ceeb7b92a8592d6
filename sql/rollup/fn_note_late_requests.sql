-- Requests that were booked more than 35 days after they were made: imports, and what was lost for long. The rollup
-- does not look back that far; here they are found by when they were booked, in partitions of before alone, and a day
-- of bookings is read again, for what committed late. Each is noted once, and counts from then on: its hour is counted
-- anew with the note. Nobody closes a month meanwhile, so a note is of before a close or of after it.
create or replace function ops.fn_note_late_requests(p_longest interval default '3 seconds') returns bigint
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_stop_at timestamptz := clock_timestamp() + p_longest;
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_counted_to timestamptz;
    v_until timestamptz;
    v_rolled_to timestamptz;
    v_at timestamptz;
    v_next timestamptz;
    v_found record;
    v_noted bigint := 0;
    v_months jsonb := '[]';
begin
    if not pg_try_advisory_xact_lock(hashtextextended('onevault close of a month', 0)) then
        return 0;
    end if;
    -- What is not rolled up yet is found later; where nothing is, all of it is read each time.
    select min(w.counted_to) into v_counted_to from ops.watermark as w where w.rollup_name = 'usage';
    v_until := coalesce(v_counted_to, clock_timestamp());
    insert into ops.watermark (rollup_name, rolled_up_to)
    select 'late requests', coalesce(util.fn_request_time(min(s.api_request_hk)), v_until)
    from gateway.api_request_s as s
    on conflict (rollup_name) do nothing;
    select least(w.rolled_up_to - interval '1 day', v_until) into v_at
    from ops.watermark as w where w.rollup_name = 'late requests' for update;

    <<windows>>
    while v_at < v_until and clock_timestamp() < v_stop_at loop
        v_next := least(v_at + interval '7 days', v_until);
        for v_found in
            select
                date_trunc('hour', s.request_timestamp, 'UTC') as usage_hour, array_agg(s.api_request_hk) as keys,
                array_agg(distinct s.customer_hk) as customers
            from gateway.api_request_s as s
            where
                s.load_date >= v_at and s.load_date < v_next
                and s.api_request_hk < util.fn_request_key_at(v_next - interval '35 days' + interval '1 hour')
                and s.request_timestamp < s.load_date - interval '35 days'
                and not exists (
                    select from gateway.late_request_s as l
                    where l.api_request_hk = s.api_request_hk and l.customer_hk = s.customer_hk
                )
            group by 1
            order by 1
        loop
            -- Before the rollup: it counts from here on, or waits.
            select w.counted_to into v_rolled_to from ops.watermark as w where w.rollup_name = 'usage' for update;
            with noted as (
                insert into gateway.late_request_s (
                    api_request_hk, customer_hk, tenant_hk, billing_period, offer_hk, charge_usd, record_source
                )
                select
                    s.api_request_hk, s.customer_hk, s.tenant_hk, date_trunc(
                        'month', s.request_timestamp at time zone coalesce(t.time_zone, 'UTC')
                    )::date, s.offer_hk, s.customer_cost, 'rollup'
                from gateway.api_request_s as s
                left join auth.tenant_s as t on s.tenant_hk = t.tenant_hk and t.load_end_date is null
                where s.api_request_hk = any(v_found.keys)
                returning customer_hk, billing_period
            )

            select v_months || jsonb_agg(distinct jsonb_build_object(
                'customer', encode(n.customer_hk, 'hex'), 'month', n.billing_period
            )), v_noted + count(*) into v_months, v_noted
            from noted as n;
            delete from ops.usage_hourly as u
            where u.usage_hour = v_found.usage_hour and u.customer_hk = any(v_found.customers);
            insert into ops.usage_hourly
            select c.*
            from ops.fn_count_usage(
                util.fn_request_key_at(v_found.usage_hour - interval '1 minute'),
                util.fn_request_key_at(v_found.usage_hour + interval '61 minutes'), '-infinity', v_rolled_to
            ) as c
            where c.usage_hour = v_found.usage_hour and c.customer_hk = any(v_found.customers);
            exit windows when clock_timestamp() >= v_stop_at;
        end loop;
        v_at := v_next;
    end loop;

    for v_found in
        select distinct n.tenant_bk, h.customer_hk, h.customer_bk, (m.value ->> 'month')::date as month
        from jsonb_array_elements(v_months) as m
        inner join gateway.customer_h as h on decode(m.value ->> 'customer', 'hex') = h.customer_hk
        inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
        order by 1, 3, 4
    loop
        perform set_config('onevault.tenant', v_found.tenant_bk, true);
        perform ops.fn_load_spending(v_found.customer_hk, v_found.customer_bk, v_found.month);
    end loop;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    update ops.watermark as w set rolled_up_to = greatest(w.rolled_up_to, v_at)
    where w.rollup_name = 'late requests' and v_counted_to is not null;
    return v_noted;
end
$$;

comment on function ops.fn_note_late_requests(interval) is
'Notes requests that were booked more than 35 days after they were made, and counts them as usage; returns how many.';
