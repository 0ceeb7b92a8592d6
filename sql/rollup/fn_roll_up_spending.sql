-- What each customer spent in a month, by the tenant's calendar, for every month in which something was booked since
-- the last version. Looks at the bookings since then, and at usage by hour for the sums. p_keep_for spares the vault a
-- version a minute: a younger one is left to a later run, a first one is always made. Ends after six seconds; what is
-- left over stays younger than the watermark.
create or replace function ops.fn_roll_up_spending(p_keep_for interval default interval '0') returns bigint
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_booked_from timestamptz;
    v_done_to timestamptz := v_now - interval '1 minute';
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_due record;
    v_loaded bigint := 0;
begin
    insert into ops.watermark (rollup_name, rolled_up_to)
    values ('spending', coalesce((
        select util.fn_request_time(min(s.api_request_hk)) - interval '1 minute' from gateway.api_request_s as s
    ), v_done_to))
    on conflict (rollup_name) do nothing;
    select w.rolled_up_to into v_booked_from from ops.watermark as w where w.rollup_name = 'spending' for update;

    for v_due in
        select
            f.customer_hk, n.tenant_bk, c.customer_bk, f.billing_period, f.first_booked_at,
            v.load_date > v_now - p_keep_for as is_young
        from (
            select
                s.customer_hk, s.tenant_hk,
                date_trunc('month', s.request_timestamp at time zone coalesce(z.time_zone, 'UTC'))::date
                as billing_period,
                min(s.load_date) as first_booked_at,
                max(s.load_date) as last_booked_at
            from gateway.api_request_s as s
            left join auth.tenant_s as z on s.tenant_hk = z.tenant_hk and z.load_end_date is null
            where
                s.api_request_hk >= util.fn_request_key_at(v_booked_from - interval '35 days')
                and s.load_date >= v_booked_from
            group by 1, 2, 3
        ) as f
        inner join gateway.customer_h as c on f.customer_hk = c.customer_hk
        inner join auth.tenant_h as n on f.tenant_hk = n.tenant_hk
        left join gateway.customer_spending_s as v
            on v.spending_hk = util.hash_key(c.customer_bk, to_char(f.billing_period, 'YYYY-MM'))
            and v.load_end_date is null
        where v.load_date is null or v.load_date < f.last_booked_at + interval '1 minute'
        order by n.tenant_bk, c.customer_bk, f.billing_period
    loop
        if v_due.is_young or clock_timestamp() > v_now + interval '6 seconds' then
            v_done_to := least(v_done_to, v_due.first_booked_at);
            continue;
        end if;
        perform set_config('onevault.tenant', v_due.tenant_bk, true);
        v_loaded := v_loaded
            + ops.fn_load_spending(v_due.customer_hk, v_due.customer_bk, v_due.billing_period)::integer;
    end loop;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    update ops.watermark as w set rolled_up_to = greatest(w.rolled_up_to, v_done_to) where w.rollup_name = 'spending';
    return v_loaded;
end
$$;

comment on function ops.fn_roll_up_spending(interval) is
'Loads what customers spent by month, where something was booked since; returns how many versions were added.';
