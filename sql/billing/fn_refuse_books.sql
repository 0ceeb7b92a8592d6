-- Every request of the month is accounted for, and the rollups that invoices are made of say to the last digit what the
-- books say, by another way to the same sum: of the month before, too, of which something may have come late. Read
-- once for all tenants: a day more at each end holds every calendar.
create or replace function gateway.fn_refuse_books(p_month date, p_tenant text default null) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_from timestamptz := date_trunc('hour', p_month::timestamp at time zone 'UTC' - interval '1 month 1 day');
    v_to timestamptz := (p_month + interval '1 month')::timestamp at time zone 'UTC' + interval '1 day';
    v_tenant_hk bytea := util.hash_key(p_tenant);
    v_name text := to_char(p_month::timestamp, 'YYYY-MM');
    v_found record;
begin
    -- ops.unaccounted_request within bounds: each side is cut by itself.
    select n.tenant_bk::text as tenant, count(*) as number into v_found
    from (
        select h.api_request_hk, h.customer_hk, true as is_acknowledged
        from gateway.api_request_h as h
        where
            h.api_request_hk >= util.fn_request_key_at(v_from + interval '1 month')
            and h.api_request_hk < util.fn_request_key_at(v_to)
    ) as a
    full join (
        select s.api_request_hk, s.customer_hk, true as is_booked
        from gateway.api_request_s as s
        where
            s.api_request_hk >= util.fn_request_key_at(v_from + interval '1 month')
            and s.api_request_hk < util.fn_request_key_at(v_to)
    ) as b on a.api_request_hk = b.api_request_hk and a.customer_hk = b.customer_hk
    left join ops.reservation as r
        on
            coalesce(a.api_request_hk, b.api_request_hk) = r.api_request_hk
            and coalesce(a.customer_hk, b.customer_hk) = r.customer_hk
    inner join gateway.customer_h as c on coalesce(a.customer_hk, b.customer_hk) = c.customer_hk
    inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
    where
        (a.is_acknowledged is null or (b.is_booked is null) = (r.api_request_hk is null))
        and (p_tenant is null or c.tenant_hk = v_tenant_hk)
    group by n.tenant_bk
    order by n.tenant_bk
    limit 1;
    if v_found.number > 0 then
        perform admin.fn_refuse_change(
            409, 'requests_are_accounted_for',
            format('%s of %s has %s requests that are not accounted for', v_name, v_found.tenant, v_found.number),
            'Look into ops.unaccounted_request, and bring the books in order first.'
        );
    end if;

    select c.customer_bk::text as customer, n.tenant_bk::text as tenant into v_found
    from (
        select
            s.customer_hk, count(*) filter (where not l.is_live) as requests,
            coalesce(sum(s.customer_cost) filter (where not l.is_live), 0) as usd
        from gateway.api_request_s as s
        cross join lateral (
            select s.api_request_hk >= ops.fn_usage_open_key() and s.load_date >= ops.fn_usage_counted_to() as is_live
        ) as l
        where
            s.request_timestamp >= v_from and s.request_timestamp < v_to
            and s.api_request_hk >= util.fn_request_key_at(v_from - interval '1 hour')
            and s.api_request_hk < util.fn_request_key_at(v_to + interval '1 hour')
            and (p_tenant is null or s.tenant_hk = v_tenant_hk)
            -- What was booked very late counts once it is noted.
            and (
                s.request_timestamp >= s.load_date - interval '35 days'
                or exists (
                    select from gateway.late_request_s as z
                    where z.api_request_hk = s.api_request_hk and z.customer_hk = s.customer_hk
                )
            )
        group by s.customer_hk
    ) as b
    full join (
        select u.customer_hk, sum(u.request_count) as requests, sum(u.customer_cost_usd) as usd
        from ops.usage_hourly as u
        where
            u.usage_hour >= v_from and u.usage_hour < v_to and (p_tenant is null or u.tenant_hk = v_tenant_hk)
        group by u.customer_hk
    ) as r on b.customer_hk = r.customer_hk
    inner join gateway.customer_h as c on coalesce(b.customer_hk, r.customer_hk) = c.customer_hk
    inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
    where coalesce(b.requests, 0) <> coalesce(r.requests, 0) or coalesce(b.usd, 0) <> coalesce(r.usd, 0)
    order by c.customer_bk
    limit 1;
    if found then
        perform admin.fn_refuse_change(
            409, 'rollups_are_what_the_books_say',
            format('In %s of %s the rollups of %s are not what the books say', v_name, v_found.tenant,
                quote_literal(v_found.customer)),
            'Let "mend usage" run once more (ops.job), then close again.'
        );
    end if;
end
$$;

comment on function gateway.fn_refuse_books(date, text) is
'Refuses to close a month of a tenant, or of all, while a request of it is unaccounted for or the rollups differ from
the books, and says whose.';
