-- All of it or nothing: killed on the way, nothing has happened, and closed again there is nothing left to do. One
-- close runs at a time; calls go on meanwhile, and belong to the next month.
create or replace function gateway.sp_close_month(
    p_month date, p_tenant text default null, p_finalise boolean default true
) returns table (tenant text, customer text, invoice_number text, status text, total text, currency text)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_month date := date_trunc('month', p_month)::date;
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_tenant record;
    v_customer record;
    v_hk bytea;
    v_made bytea[] := '{}';
    v_count integer;
    v_usages jsonb;
    v_savings jsonb;
begin
    if p_month is null or not isfinite(p_month) then
        perform admin.fn_refuse_change(400, 'period_is_a_month', 'A month is to be named', 'Use a day of it: 2026-11-01');
    end if;
    perform set_config('synchronous_commit', 'on', true);
    perform pg_advisory_xact_lock(hashtextextended('onevault close of a month', 0));
    perform ops.fn_note_late_requests('1 day');
    perform gateway.fn_refuse_unreconciled(v_month);
    perform gateway.fn_refuse_books(v_month, p_tenant);
    v_usages := gateway.fn_pack_usages(v_month, p_tenant);
    perform set_config('onevault.refresh_prepaid', 'later', true);
    for v_tenant in
        select h.tenant_hk, h.tenant_bk::text as name, z.time_zone
        from auth.tenant_h as h
        cross join lateral (
            select t.time_zone from auth.tenant_s as t where t.tenant_hk = h.tenant_hk order by t.load_date desc limit 1
        ) as z
        where p_tenant is null or h.tenant_hk = admin.fn_find_tenant(p_tenant)
        order by h.tenant_bk
    loop
        perform set_config('onevault.tenant', v_tenant.name, true);
        if not exists (
            select from gateway.month_close_s as m
            where m.tenant_hk = v_tenant.tenant_hk and m.billing_period = v_month
        ) then
            perform gateway.fn_refuse_close(v_tenant.tenant_hk, v_tenant.name, v_month);
            v_count := 0;
            v_savings := gateway.fn_measure_savings(v_tenant.name, v_month, v_tenant.time_zone);
            for v_customer in
                select h.customer_hk, h.customer_bk::text as name
                from gateway.customer_h as h
                where h.tenant_hk = v_tenant.tenant_hk
                order by h.customer_bk
            loop
                v_hk := gateway.fn_bill_month(
                    v_customer.customer_hk, v_customer.name, v_month, p_finalise,
                    coalesce(v_usages -> v_customer.name, '[]'), v_savings
                );
                if v_hk is not null then
                    v_made := v_made || v_hk;
                    v_count := v_count + 1;
                end if;
            end loop;
            if p_finalise then
                insert into gateway.month_close_s (tenant_hk, billing_period, invoices, record_source)
                values (v_tenant.tenant_hk, v_month, v_count, session_user);
            end if;
        end if;
    end loop;
    if p_finalise then
        perform gateway.fn_note_spending(v_made);
    end if;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    perform set_config('onevault.refresh_prepaid', '', true);
    perform gateway.fn_refresh_prepaids(false);
    return query
    select
        n.tenant_bk::text, c.customer_bk::text, s.invoice_number::text, lower(s.invoice_status),
        round(s.total, s.decimals)::text, s.currency::text
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    where
        s.billing_period = v_month and s.invoice_kind = 'INVOICE' and s.invoice_status <> 'VOID'
        and (p_tenant is null or n.tenant_hk = util.hash_key(p_tenant))
    order by n.tenant_bk, c.customer_bk;
end
$$;

comment on function gateway.sp_close_month(date, text, boolean) is
'Closes a month of one tenant or of all: makes out and numbers every invoice, posts them, and says which there are. With
p_finalise false drafts are made instead. Closed again it changes nothing.';
