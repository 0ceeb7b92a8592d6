-- A tenant's month may be closed once it is over by its own calendar and every request of it has ended, and when the
-- months before it are closed. What must hold for all of them at once says gateway.fn_refuse_books.
create or replace function gateway.fn_refuse_close(p_tenant_hk bytea, p_tenant text, p_month date) returns void
language plpgsql
set search_path = ''
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
    -- Each invoice looks two months back, so no month is left out.
    v_first := (p_month - interval '1 month')::date;
    if exists (
        select from gateway.month_close_s as m where m.tenant_hk = p_tenant_hk and m.billing_period < v_first
    ) and not exists (
        select from gateway.month_close_s as m where m.tenant_hk = p_tenant_hk and m.billing_period = v_first
    ) then
        perform admin.fn_refuse_change(
            409, 'months_are_closed_in_order',
            format('%s of %s is not closed', to_char(v_first::timestamp, 'YYYY-MM'), p_tenant), 'Close it first.'
        );
    end if;
end
$$;

comment on function gateway.fn_refuse_close(bytea, text, date) is
'Refuses to close a tenant''s month that is not over, has requests under way, or comes before an open one.';
