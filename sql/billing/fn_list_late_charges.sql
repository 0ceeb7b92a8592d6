-- What belongs to months that are closed and stands on no invoice: usage that was booked late, or whose invoice was
-- voided, by provider and model; and corrections of prices, without either. Found as the difference between the books
-- and the invoices, so nothing is charged twice and nothing is lost, whenever it came: of the two months before by the
-- usage that the caller gives, of older ones by what was noted of them (fn_list_old_charges). An invoice that is made
-- out again gives back what came late and stands on another one, and the next one what is of another month now, since
-- the tenant has moved to another time zone. As known at a moment: by what was closed, invoiced and corrected by then,
-- as the usage that is given is.
create or replace function gateway.fn_list_late_charges(
    p_customer_hk bytea, p_month date, p_usage jsonb, p_known_at timestamptz default null
) returns table (usage_month date, provider text, model text, charge_usd numeric)
language sql stable
set search_path = ''
as $$
with bills as materialized (
    select s.invoice_hk, s.lines_load_date, s.billing_period, s.invoice_kind, s.invoice_status
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk
    where
        h.customer_hk = p_customer_hk and s.load_date <= coalesce(p_known_at, 'infinity')
        and (s.load_end_date is null or s.load_end_date > coalesce(p_known_at, 'infinity'))
),

closed as materialized (
    select m.billing_period
    from gateway.month_close_s as m
    inner join gateway.customer_h as h on m.tenant_hk = h.tenant_hk
    where
        h.customer_hk = p_customer_hk and m.billing_period < p_month
        and m.billing_period >= (p_month - interval '2 months')::date
        and m.load_date <= coalesce(p_known_at, 'infinity')
),

invoiced as materialized (
    select l.usage_period, l.provider, l.model, sum(l.exact_usd) as charge_usd
    from bills as s
    inner join gateway.invoice_line_s as l on s.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date
    where
        s.invoice_kind = 'INVOICE' and s.invoice_status in ('FINAL', 'PAID')
        and l.line_kind in ('USAGE', 'ADJUSTMENT')
    group by l.usage_period, l.provider, l.model
),

booked as (
    select u.usage_month, u.provider, u.model, u.charge_usd
    from gateway.fn_unpack_usage(p_usage) as u
    inner join closed as c on u.usage_month = c.billing_period
    union all
    select a.billing_period, null, null, sum(a.delta_charge)
    from gateway.charge_adjustment_s as a
    where a.customer_hk = p_customer_hk and a.billing_period <= p_month
        and a.load_date <= coalesce(p_known_at, 'infinity')
    group by a.billing_period
)

select b.usage_month, b.provider, b.model, b.charge_usd - coalesce(i.charge_usd, 0)
from booked as b
left join invoiced as i
    on b.usage_month = i.usage_period and b.provider is not distinct from i.provider
    and b.model is not distinct from i.model
where b.charge_usd <> coalesce(i.charge_usd, 0)
union all
select i.usage_period, i.provider, i.model, -i.charge_usd
from invoiced as i
inner join closed as c on i.usage_period = c.billing_period
where
    i.provider is not null and i.charge_usd <> 0
    and not exists (
        select from booked as b
        where b.usage_month = i.usage_period and b.provider = i.provider and b.model is not distinct from i.model
    )
union all
select i.usage_period, i.provider, i.model, -i.charge_usd
from invoiced as i
where
    i.usage_period = p_month and i.provider is not null
    and exists (
        select from bills as s where s.billing_period = p_month and s.invoice_status = 'VOID'
    )
    and not exists (
        select from bills as s
        where
            s.billing_period = p_month and s.invoice_kind = 'INVOICE'
            and s.invoice_status in ('FINAL', 'PAID')
    )
union all
select o.usage_month, o.provider, o.model, o.charge_usd
from gateway.fn_list_old_charges(p_customer_hk, p_month, p_known_at) as o
$$;

comment on function gateway.fn_list_late_charges(bytea, date, jsonb, timestamptz) is
'Charges of closed months, and corrections of any, that stand on no invoice yet, now or as it was known.';
