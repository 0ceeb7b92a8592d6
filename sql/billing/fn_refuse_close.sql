-- A month may be closed once it is over and every request of it has ended and is in the books, when the rollups say to
-- the last digit what the books say, and when the months before it are closed.
create or replace function gateway.fn_refuse_close(p_tenant_hk bytea, p_tenant text, p_month date) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
declare
    v_now timestamptz := clock_timestamp();
    v_zone text := (
        select t.time_zone from auth.tenant_s as t where t.tenant_hk = p_tenant_hk order by t.load_date desc limit 1
    );
    v_from timestamptz := p_month::timestamp at time zone v_zone;
    v_to timestamptz := (p_month + interval '1 month') at time zone v_zone;
    v_name text := format('%s of %s', to_char(p_month::timestamp, 'YYYY-MM'), p_tenant);
    v_count bigint;
    v_customer text;
    v_first date;
begin
    -- Longer after the last second than a decision takes to commit.
    if v_now < v_to + interval '1 minute' then
        perform admin.fn_refuse_change(
            409, 'month_is_over', format('%s is not over', v_name), format('Close it after %s.', v_to)
        );
    end if;
    select count(*) into v_count
    from ops.reservation as r
    where r.tenant_hk = p_tenant_hk and r.reserved_at < v_to;
    if v_count > 0 then
        perform admin.fn_refuse_change(
            409, 'requests_have_ended', format('%s has %s requests that have not ended', v_name, v_count),
            'Wait for them: the longest takes as long as its deadline. "onevault doctor" says if something is stuck.'
        );
    end if;
    perform set_config('onevault.check_from', v_from::text, true);
    select count(*) into v_count
    from ops.unaccounted_request as u
    inner join gateway.customer_h as h on u.customer_hk = h.customer_hk
    where h.tenant_hk = p_tenant_hk and u.api_request_hk < util.fn_request_key_at(v_to);
    perform set_config('onevault.check_from', '', true);
    if v_count > 0 then
        perform admin.fn_refuse_change(
            409, 'requests_are_accounted_for', format('%s has %s requests that are not accounted for', v_name, v_count),
            'Look into ops.unaccounted_request, and bring the books in order first.'
        );
    end if;
    -- Another way to the same sum: whole hours of the books against whole hours of the rollups, those of the month before
    -- too, of which something may have come late.
    select coalesce(b.customer, u.customer) into v_customer
    from (
        select c.customer_bk::text as customer, sum(s.customer_cost) as usd, count(*) as requests
        from gateway.api_request_s as s
        inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
        where
            s.tenant_hk = p_tenant_hk
            and s.request_timestamp >= date_trunc('hour', v_from - interval '1 month')
            and s.request_timestamp < date_trunc('hour', v_to)
            and s.api_request_hk >= util.fn_request_key_at(v_from - interval '1 month 2 hours')
            and s.api_request_hk < util.fn_request_key_at(v_to + interval '1 hour')
        group by c.customer_bk
    ) as b
    full join (
        select p.customer, sum(p.customer_cost_usd) as usd, sum(p.request_count) as requests
        from business_vault.usage_part as p
        where
            p.tenant = p_tenant
            and p.usage_hour >= date_trunc('hour', v_from - interval '1 month')
            and p.usage_hour < date_trunc('hour', v_to)
        group by p.customer
    ) as u on b.customer = u.customer
    where b.usd is distinct from u.usd or b.requests is distinct from u.requests
    order by 1
    limit 1;
    if found then
        perform admin.fn_refuse_change(
            409, 'rollups_are_what_the_books_say',
            format('In %s the rollups of %s are not what the books say', v_name, quote_literal(v_customer)),
            'Let "mend usage" run once more (ops.job), then close again.'
        );
    end if;
    select min(s.billing_period) into v_first
    from gateway.customer_spending_s as s
    inner join gateway.customer_spending_h as h on s.spending_hk = h.spending_hk
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    where
        c.tenant_hk = p_tenant_hk and s.load_end_date is null and s.total_customer_charges > 0
        and s.billing_period < p_month
        and not exists (
            select from gateway.month_close_s as m
            where m.tenant_hk = p_tenant_hk and m.billing_period = s.billing_period
        );
    if v_first is not null then
        perform admin.fn_refuse_change(
            409, 'months_are_closed_in_order', format('%s of %s has charges and is not closed',
                to_char(v_first::timestamp, 'YYYY-MM'), p_tenant),
            'Close it first.'
        );
    end if;
end
$$;

comment on function gateway.fn_refuse_close(bytea, text, date) is
'Refuses to close a tenant''s month while anything is open, unaccounted for or out of balance, and says what.';
