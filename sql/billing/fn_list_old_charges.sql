-- Of a month that is older than what its next invoices look back to, everything was billed when the last of these was
-- made out. Due is what was noted of it since, less what invoices have come to hold more of it than they did then: one
-- that held it and is void since holds nothing. Most customers have neither, and cost two looks into an index.
create or replace function gateway.fn_list_old_charges(
    p_customer_hk bytea, p_month date, p_known_at timestamptz default null
) returns table (usage_month date, provider text, model text, charge_usd numeric)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_before date := (p_month - interval '2 months')::date;
    v_known_at timestamptz := coalesce(p_known_at, 'infinity');
begin
    if not exists (
        select from gateway.late_request_s as l where l.customer_hk = p_customer_hk and l.billing_period < v_before
    ) and not exists (
        select from gateway.invoice_h as h
        inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
        inner join gateway.invoice_line_s as l on h.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date
        where h.customer_hk = p_customer_hk and s.invoice_status = 'VOID' and l.usage_period < v_before
    ) then
        return;
    end if;
    return query
    with settled as materialized (
        select m.billing_period, max(n.load_date) as settled_at
        from gateway.customer_h as h
        inner join gateway.month_close_s as m on h.tenant_hk = m.tenant_hk and m.billing_period < v_before
        inner join gateway.month_close_s as n
            on
                m.tenant_hk = n.tenant_hk and n.billing_period >= m.billing_period
                and n.billing_period <= m.billing_period + interval '2 months'
        where h.customer_hk = p_customer_hk and m.load_date <= v_known_at and n.load_date <= v_known_at
        group by m.billing_period
    ),

    moved as (
        select l.billing_period, p.provider_bk::text as provider, m.model_bk::text as model, l.charge_usd as usd
        from gateway.late_request_s as l
        inner join settled as c on l.billing_period = c.billing_period and l.load_date > c.settled_at
        inner join gateway.offer_l as o on l.offer_hk = o.offer_hk
        inner join gateway.ai_provider_h as p on o.provider_hk = p.provider_hk
        inner join gateway.model_h as m on o.model_hk = m.model_hk
        where l.customer_hk = p_customer_hk and l.load_date <= v_known_at
        union all
        select c.billing_period, l.provider::text, l.model::text, l.exact_usd * (
            (s.load_date <= c.settled_at and coalesce(s.load_end_date > c.settled_at, true))::integer
            - (s.load_date <= v_known_at and coalesce(s.load_end_date > v_known_at, true))::integer
        )
        from gateway.invoice_h as h
        inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk
        inner join gateway.invoice_line_s as l on h.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date
        inner join settled as c on l.usage_period = c.billing_period
        where
            h.customer_hk = p_customer_hk and s.invoice_kind = 'INVOICE' and s.invoice_status in ('FINAL', 'PAID')
            and l.line_kind in ('USAGE', 'ADJUSTMENT') and l.provider is not null
    )

    select v.billing_period, v.provider, v.model, sum(v.usd)
    from moved as v
    group by v.billing_period, v.provider, v.model
    having sum(v.usd) <> 0;
end
$$;

comment on function gateway.fn_list_old_charges(bytea, date, timestamptz) is
'Charges of closed months before the two that an invoice looks back to, which stand on no invoice: what was booked very
late, or stood on one that is void.';
