-- Ten questions that finance asks of a month, by business_vault alone. Whoever asks sees his tenant, a DBA all of them:
--   onevault psql --role dba -- -v month=2026-10-01 -f docs/finance.sql
\if :{?month}
\else
select date_trunc('month', now() at time zone 'UTC')::date as month
\gset
\endif

\echo '1. What was invoiced, and what of it is paid?'
select i.tenant, i.customer, i.invoice_number, i.invoice_status, i.currency, i.total_amount, i.prepaid_amount, i.paid_amount, i.due_amount
from business_vault.invoice as i
where i.billing_period = :'month'
order by i.tenant, i.customer, i.invoice_number;

\echo '2. Who is overdue, and since when?'
select
    i.customer, i.currency, sum(i.due_amount) filter (where i.due_on >= current_date) as not_due_yet,
    sum(i.due_amount) filter (where i.due_on < current_date and i.due_on >= current_date - 30) as overdue_1_to_30_days,
    sum(i.due_amount) filter (where i.due_on < current_date - 30) as overdue_longer
from business_vault.invoice as i
where i.invoice_status = 'FINAL' and i.due_amount > 0
group by i.customer, i.currency
order by i.customer;

\echo '3. What did we earn, by usage and by services?'
select
    coalesce(u.tenant, l.tenant) as tenant, coalesce(u.customer, l.customer) as customer, u.usage_usd, l.services_usd,
    coalesce(u.usage_usd, 0) + coalesce(l.services_usd, 0) as revenue_usd
from (
    select c.tenant, c.customer, sum(c.customer_cost_usd) as usage_usd
    from business_vault.cost_analysis as c
    where c.usage_month = :'month'
    group by c.tenant, c.customer
) as u
full join (
    select e.tenant, e.customer, -sum(e.amount_usd) as services_usd
    from business_vault.ledger_line as e
    where e.billing_period = :'month' and e.account = 'service_revenue' and e.entry_kind <> 'CHARGE'
    group by e.tenant, e.customer
) as l on u.tenant = l.tenant and u.customer = l.customer
order by revenue_usd desc;

\echo '4. What is left of it after the providers, by model?'
select
    c.provider, c.model, sum(c.customer_cost_usd) as charged_usd, sum(c.provider_cost_usd) as provider_cost_usd,
    sum(c.markup_usd) as margin_usd, round(100 * sum(c.markup_usd) / nullif(sum(c.customer_cost_usd), 0), 2) as margin_percent
from business_vault.cost_analysis as c
where c.usage_month = :'month'
group by c.provider, c.model
order by margin_usd desc nulls last;

\echo '5. Who spends more than the month before, and who less?'
select
    coalesce(n.customer, b.customer) as customer, b.customer_cost_usd as before_usd, n.customer_cost_usd as now_usd,
    coalesce(n.customer_cost_usd, 0) - coalesce(b.customer_cost_usd, 0) as change_usd
from (select s.* from business_vault.customer_spending as s where s.billing_period = :'month') as n
full join (
    select s.* from business_vault.customer_spending as s where s.billing_period = (:'month'::date - interval '1 month')::date
) as b on n.tenant = b.tenant and n.customer = b.customer
order by abs(coalesce(n.customer_cost_usd, 0) - coalesce(b.customer_cost_usd, 0)) desc, 1;

\echo '6. What will the month come to if it goes on like this?'
select
    u.tenant, sum(u.customer_cost_usd) as so_far_usd,
    round(sum(u.customer_cost_usd) * d.all_days / d.days_gone, 2) as forecast_usd
from business_vault.usage_daily as u
cross join (
    select
        extract(day from :'month'::date + interval '1 month' - interval '1 day') as all_days,
        least(greatest(current_date - :'month'::date + 1, 1), extract(day from :'month'::date + interval '1 month' - interval '1 day'))
        as days_gone
) as d
where u.usage_day >= :'month'::date and u.usage_day < (:'month'::date + interval '1 month')::date
group by u.tenant, d.all_days, d.days_gone
order by u.tenant;

\echo '7. What will the providers ask us for?'
select u.provider, sum(u.request_count) as requests, sum(u.total_tokens) as tokens, sum(u.provider_cost_usd) as provider_cost_usd
from business_vault.usage_daily as u
where u.usage_day >= :'month'::date and u.usage_day < (:'month'::date + interval '1 month')::date
group by u.provider
order by provider_cost_usd desc;

\echo '8. What did we give away, give back and lose?'
select
    sum(x.promotion_usd) as promotions_usd, sum(x.adjustment_usd) as credit_notes_usd, sum(x.rounding_usd) as rounding_usd,
    sum(x.house_loss_usd) as house_loss_usd
from (
    select
        sum(l.amount_usd) filter (where l.account = 'promotion') as promotion_usd,
        sum(l.amount_usd) filter (where l.account = 'adjustment') as adjustment_usd,
        sum(l.amount_usd) filter (where l.account = 'rounding') as rounding_usd, null::numeric as house_loss_usd
    from business_vault.ledger_line as l
    where l.billing_period = :'month' and l.entry_kind <> 'CHARGE'
    union all
    select null, null, null, sum(u.house_loss_usd)
    from business_vault.usage_daily as u
    where u.usage_day >= :'month'::date and u.usage_day < (:'month'::date + interval '1 month')::date
) as x;

\echo '9. What do we owe the tax office?'
select l.tax_percent, l.description, l.currency, count(*) as invoices, sum(l.line_amount) as tax_amount
from business_vault.invoice_line as l
where l.billing_period = :'month' and l.line_kind = 'TAX' and l.invoice_status in ('FINAL', 'PAID')
group by l.tax_percent, l.description, l.currency
order by l.description, l.currency;

\echo '10. Do the books balance, and are the invoices what the ledger says?'
-- Each charge is debited and credited alike: what is left of the ledger is few rows.
select
    sum(l.amount_usd) as out_of_balance_usd, sum(l.amount_usd) filter (where l.account = 'unbilled') + max(c.usd) as unbilled_usd,
    sum(l.amount_usd) filter (where l.account = 'receivable') as receivable_usd, max(i.usd) as due_on_invoices_usd
from business_vault.ledger_line as l
cross join (
    select coalesce(sum(a.customer_cost_usd), 0) as usd from business_vault.cost_analysis as a where a.usage_month = :'month'
) as c
cross join (
    select sum(round(v.due_amount / v.units_per_usd, 10)) as usd
    from business_vault.invoice as v
    where v.billing_period = :'month' and v.invoice_status <> 'DRAFT'
) as i
where l.billing_period = :'month' and l.entry_kind <> 'CHARGE';
