-- Plans include usage of their month, whenever it is booked and whatever becomes of its prices. So of each month that
-- an invoice has something of, all that was charged is what plans may include, on whichever invoices it stands; what
-- these have included of it already is taken off, and comes back where it was too much. An invoice that is void billed
-- no fees, and includes nothing.
create or replace function gateway.fn_list_included(
    p_customer_hk bytea, p_month date, p_included_usd numeric, p_lines gateway.invoice_line_s[],
    p_known_at timestamptz default null
) returns table (usage_month date, included_usd numeric)
language sql stable
set search_path = ''
as $$
with here as (
    select m.usage_month, sum(m.usd) as usd
    from (
        select p_month as usage_month, 0::numeric as usd
        union all
        select l.usage_period, l.exact_usd
        from unnest(p_lines) as l
        where l.line_kind in ('USAGE', 'ADJUSTMENT')
    ) as m
    group by m.usage_month
),

there as (
    select
        l.usage_period as usage_month, sum(l.exact_usd) filter (where l.line_kind in ('USAGE', 'ADJUSTMENT')) as usd,
        -sum(l.exact_usd) filter (where l.line_kind = 'INCLUDED') as included_usd,
        bool_or(l.line_kind = 'SERVICE' and s.billing_period = l.usage_period) as has_fees
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk
    inner join gateway.invoice_line_s as l on h.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date
    where
        h.customer_hk = p_customer_hk and s.invoice_kind = 'INVOICE' and s.invoice_status in ('FINAL', 'PAID')
        and s.load_date <= coalesce(p_known_at, 'infinity')
        and (s.load_end_date is null or s.load_end_date > coalesce(p_known_at, 'infinity'))
        and l.usage_period in (select e.usage_month from here as e)
    group by l.usage_period
)

select e.usage_month, i.usd
from here as e
left join there as t on e.usage_month = t.usage_month
cross join lateral (
    select sum(f.included_usd) as usd
    from gateway.fn_list_fees(p_customer_hk, e.usage_month) as f
    where e.usage_month <> p_month and t.has_fees
) as f
cross join lateral (
    select least(
        case when e.usage_month = p_month then p_included_usd else coalesce(f.usd, 0) end,
        greatest(e.usd + coalesce(t.usd, 0), 0)
    ) - coalesce(t.included_usd, 0) as usd
) as i
where i.usd <> 0
order by e.usage_month;
$$;

comment on function gateway.fn_list_included(bytea, date, numeric, gateway.invoice_line_s[], timestamptz) is
'What plans include of the months that these lines of an invoice are about, of which it bills fees of one that include
p_included_usd, and no other invoice holds: below zero where others have included too much.';
