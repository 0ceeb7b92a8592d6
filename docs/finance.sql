-- Ten questions that finance asks of a month, by business_vault alone. Whoever asks sees his tenant, a DBA all of them.
-- Usage is what was booked and what corrected prices made of it since (charge_adjustment), in the month of the request:
--   onevault psql --role dba -- -v month=2026-10-01 -f docs/finance.sql
\if :{?month}
\else
select date_trunc('month', now() at time zone 'UTC')::date as month
\gset
\endif

\echo '1. What was invoiced, and what of it is paid?'
select
    i.tenant, i.customer, i.invoice_number, i.invoice_status, i.currency, i.total_amount, i.credited_amount, i.prepaid_amount, i.paid_amount,
    i.due_amount
from business_vault.invoice as i
where i.billing_period = :'month'
order by i.tenant, i.customer, i.invoice_number;

\echo '2. Who is overdue, and since when?'
-- What a credit note gives back of an invoice is not owed any more.
select
    i.customer, i.currency, sum(i.owed) filter (where i.due_on >= current_date) as not_due_yet,
    sum(i.owed) filter (where i.due_on < current_date and i.due_on >= current_date - 30) as overdue_1_to_30_days,
    sum(i.owed) filter (where i.due_on < current_date - 30) as overdue_longer
from (
    select
        v.customer, v.currency, max(v.due_on) filter (where v.invoice_kind = 'INVOICE') as due_on, sum(v.due_amount) as owed
    from business_vault.invoice as v
    where v.invoice_status in ('FINAL', 'PAID')
    group by v.customer, v.currency, coalesce(v.refers_to, v.invoice_number)
) as i
where i.owed > 0
group by i.customer, i.currency
order by i.customer, i.currency;

\echo '3. What did we earn, by usage and by services?'
-- Charges by usage, all else by the ledger: fees, what plans include, prices that were corrected, invoices made void.
select
    r.tenant, r.customer, sum(r.usage_usd) as usage_usd, sum(r.services_usd) as services_usd,
    coalesce(sum(r.usage_usd), 0) + coalesce(sum(r.services_usd), 0) as revenue_usd
from (
    select c.tenant, c.customer, c.customer_cost_usd as usage_usd, null::numeric as services_usd
    from business_vault.cost_analysis as c
    where c.usage_month = :'month'
    union all
    select
        e.tenant, e.customer, case when e.account = 'usage_revenue' then -e.amount_usd end,
        case when e.account = 'service_revenue' then -e.amount_usd end
    from business_vault.ledger_line as e
    where
        e.billing_period = :'month' and e.account in ('usage_revenue', 'service_revenue') and e.entry_kind <> 'CHARGE'
) as r
group by r.tenant, r.customer
order by revenue_usd desc, r.customer;

\echo '4. What is left of it after the providers, by model?'
select
    c.provider, c.model, sum(c.charged_usd) as charged_usd, sum(c.provider_cost_usd) as provider_cost_usd,
    sum(c.charged_usd - c.provider_cost_usd) as margin_usd,
    round(100 * sum(c.charged_usd - c.provider_cost_usd) / nullif(sum(c.charged_usd), 0), 2) as margin_percent
from (
    select a.provider, a.model, a.customer_cost_usd as charged_usd, a.provider_cost_usd
    from business_vault.cost_analysis as a
    where a.usage_month = :'month'
    union all
    select j.provider, j.model, j.delta_charge_usd, j.delta_provider_cost_usd
    from business_vault.charge_adjustment as j
    where j.billing_period = :'month'
) as c
group by c.provider, c.model
order by margin_usd desc nulls last;

\echo '5. Who spends more than the month before, and who less?'
select w.customer, w.before_usd, w.now_usd, coalesce(w.now_usd, 0) - coalesce(w.before_usd, 0) as change_usd
from (
    select
        m.customer, sum(m.usd) filter (where m.billing_period < :'month'::date) as before_usd,
        sum(m.usd) filter (where m.billing_period = :'month'::date) as now_usd
    from (
        select c.customer, c.usage_month as billing_period, c.customer_cost_usd as usd from business_vault.cost_analysis as c
        where c.usage_month in (:'month'::date, (:'month'::date - interval '1 month')::date)
        union all
        select j.customer, j.billing_period, j.delta_charge_usd from business_vault.charge_adjustment as j
    ) as m
    where m.billing_period in (:'month'::date, (:'month'::date - interval '1 month')::date)
    group by m.customer
) as w
order by abs(coalesce(w.now_usd, 0) - coalesce(w.before_usd, 0)) desc, w.customer;

\echo '6. What will the month come to if it goes on like this?'
select u.tenant, sum(u.usd) as so_far_usd, round(sum(u.usd) * d.all_days / d.days_gone, 2) as forecast_usd
from (
    select c.tenant, c.customer_cost_usd as usd from business_vault.cost_analysis as c where c.usage_month = :'month'
    union all
    select j.tenant, j.delta_charge_usd from business_vault.charge_adjustment as j where j.billing_period = :'month'
) as u
cross join (
    select
        extract(day from :'month'::date + interval '1 month' - interval '1 day') as all_days,
        least(greatest(current_date - :'month'::date + 1, 1), extract(day from :'month'::date + interval '1 month' - interval '1 day'))
        as days_gone
) as d
group by u.tenant, d.all_days, d.days_gone
order by u.tenant;

\echo '7. What will the providers ask us for?'
-- All attempts of a request count with who answered it; ops.reconciliation has each with its own provider.
select u.provider, sum(u.requests) as requests, sum(u.tokens) as tokens, sum(u.provider_cost_usd) as provider_cost_usd
from (
    select c.provider, c.request_count as requests, c.total_tokens as tokens, c.provider_cost_usd
    from business_vault.cost_analysis as c
    where c.usage_month = :'month'
    union all
    select j.provider, 0, 0, j.delta_provider_cost_usd
    from business_vault.charge_adjustment as j
    where j.billing_period = :'month'
) as u
group by u.provider
order by provider_cost_usd desc;

\echo '8. What did we give away, give back and lose?'
-- Promotions as they were used. Of a request that was rated again the last run says what the house lost on it.
select
    sum(x.promotion_usd) as promotions_usd, sum(x.adjustment_usd) as credit_notes_usd, sum(x.rounding_usd) as rounding_usd,
    sum(x.house_loss_usd) as house_loss_usd
from (
    select
        -sum(l.amount_usd) filter (where l.account = 'unbilled' and l.entry_kind in ('PROMOTIONS', 'VOID_PROMOTIONS'))
        as promotion_usd,
        sum(l.amount_usd) filter (where l.account = 'adjustment') as adjustment_usd,
        sum(l.amount_usd) filter (where l.account = 'rounding') as rounding_usd, null::numeric as house_loss_usd
    from business_vault.ledger_line as l
    where l.billing_period = :'month' and l.entry_kind <> 'CHARGE'
    union all
    select null, null, null, sum(c.house_loss_usd)
    from business_vault.cost_analysis as c
    where c.usage_month = :'month'
    union all
    select null, null, null, sum(j.house_loss_usd - r.house_loss_usd)
    from (
        select distinct on (a.request_id) a.request_id, a.house_loss_usd
        from business_vault.charge_adjustment as a
        where a.billing_period = :'month'
        order by a.request_id asc, a.adjusted_at desc
    ) as j
    inner join business_vault.request_detail as r on j.request_id = r.request_id
    where
        r.request_timestamp >= :'month'::date - interval '1 day'
        and r.request_timestamp < :'month'::date + interval '1 month 1 day'
) as x;

\echo '9. What do we owe the tax office?'
select l.tax_percent, l.description, l.currency, count(*) as invoices, sum(l.line_amount) as tax_amount
from business_vault.invoice_line as l
where l.billing_period = :'month' and l.line_kind = 'TAX' and l.invoice_status in ('FINAL', 'PAID')
group by l.tax_percent, l.description, l.currency
order by l.description, l.currency;

\echo '10. Do the books balance, and are the invoices what the ledger says?'
-- Each charge is debited and credited alike: what is left of the ledger is few rows. Unbilled is what no invoice up to
-- this month holds: what came after its month was billed, a later one does.
select
    sum(l.amount_usd) filter (where l.billing_period = :'month') as out_of_balance_usd,
    sum(l.amount_usd) filter (where l.account = 'unbilled') + max(c.usd) as unbilled_usd,
    sum(l.amount_usd) filter (where l.account = 'receivable' and l.billing_period = :'month') as receivable_usd,
    max(i.usd) as due_on_invoices_usd
from business_vault.ledger_line as l
cross join (
    select coalesce(sum(a.customer_cost_usd), 0) as usd from business_vault.cost_analysis as a where a.usage_month <= :'month'
) as c
cross join (
    select sum(round(v.due_amount / v.units_per_usd, 10)) as usd
    from business_vault.invoice as v
    where v.billing_period = :'month' and v.invoice_status <> 'DRAFT'
) as i
where l.billing_period <= :'month' and l.entry_kind <> 'CHARGE';
