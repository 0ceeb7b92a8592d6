-- Of a charge the month is looked up and not reckoned: a billing period is then a range of times, which an index has,
-- and where nothing is asked of it the look-up falls away. Customers are grouped for the reason that request_detail
-- gives, in the brackets: a WITH of the whole would keep the look-up.
drop view if exists business_vault.ledger_line;
create view business_vault.ledger_line as
(with customer as (  -- noqa: AM07, which counts the columns of the WITH
    select
        h.customer_hk, h.customer_bk::text as customer, n.tenant_bk::text as tenant,
        coalesce(ns.time_zone, 'UTC') as time_zone
    from gateway.customer_h as h
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    left join auth.tenant_s as ns on h.tenant_hk = ns.tenant_hk and ns.load_end_date is null
    group by h.customer_hk, h.customer_bk, n.tenant_bk, ns.time_zone
)

select
    s.request_id as entry_id,
    null::text as entry_name,
    'CHARGE' as entry_kind,
    s.load_date as booked_at,
    c.tenant,
    c.customer,
    m.month as billing_period,
    p.account,
    case when p.is_debit then s.customer_cost end as debit_usd,
    case when not p.is_debit then s.customer_cost end as credit_usd,
    case when p.is_debit then s.customer_cost else -s.customer_cost end as amount_usd,
    null::text as invoice_number,
    null::uuid as refers_to,
    null::text as memo
from gateway.api_request_s as s
inner join customer as c on s.customer_hk = c.customer_hk
left join util.month_r as m
    on date_trunc('month', s.request_timestamp at time zone c.time_zone)::date = m.month
    and s.request_timestamp >= m.begins_after and s.request_timestamp < m.ends_before
cross join (values ('unbilled', true), ('usage_revenue', false)) as p (account, is_debit)
where s.customer_cost <> 0)
union all
select
    encode(a.adjustment_hk, 'hex')::uuid,
    null,
    'RERATE',
    a.load_date,
    n.tenant_bk::text,
    c.customer_bk::text,
    a.billing_period,
    p.account,
    case when p.sign * a.delta_charge > 0 then abs(a.delta_charge) end,
    case when p.sign * a.delta_charge < 0 then abs(a.delta_charge) end,
    p.sign * a.delta_charge,
    null,
    encode(a.api_request_hk, 'hex')::uuid,
    a.reason::text
from gateway.charge_adjustment_s as a
inner join gateway.customer_h as c on a.customer_hk = c.customer_hk
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
cross join (values ('unbilled', 1), ('usage_revenue', -1)) as p (account, sign)
where a.delta_charge <> 0
union all
select
    encode(h.ledger_entry_hk, 'hex')::uuid,
    h.ledger_entry_bk::text,
    e.entry_kind::text,
    h.load_date,
    n.tenant_bk::text,
    c.customer_bk::text,
    e.billing_period,
    p.account::text,
    case when p.amount_usd > 0 then p.amount_usd end,
    case when p.amount_usd < 0 then -p.amount_usd end,
    p.amount_usd,
    i.invoice_number::text,
    encode(e.refers_to_hk, 'hex')::uuid,
    e.memo::text
from gateway.ledger_posting_s as p
inner join gateway.ledger_entry_h as h on p.ledger_entry_hk = h.ledger_entry_hk
inner join gateway.ledger_entry_s as e on p.ledger_entry_hk = e.ledger_entry_hk
inner join gateway.customer_h as c on p.customer_hk = c.customer_hk
inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
left join gateway.invoice_s as i on e.invoice_hk = i.invoice_hk and i.load_end_date is null;

comment on view business_vault.ledger_line is
'The ledger, a row a posting: each charge of a request and its corrections as unbilled against revenue, and every entry
for services, credits, invoices, payments and corrections. Debits and credits of an entry are equal.';
comment on column business_vault.ledger_line.entry_id is 'Entry; for charges the request''s id.';
comment on column business_vault.ledger_line.entry_name is 'Name that makes an entry happen once; NULL for charges.';
comment on column business_vault.ledger_line.entry_kind is
'CHARGE, RERATE (of a charge, by corrected prices), SERVICES, INCLUDED, PROMOTIONS, INVOICE, PREPAID, PAYMENT, REFUND,
CREDIT_NOTE, ROUNDING (left by the rate of notes), CREDIT (granted), CREDIT_EXPIRY, CREDIT_REVERSAL, or VOID_ and one of these.';
comment on column business_vault.ledger_line.booked_at is 'When it was booked.';
comment on column business_vault.ledger_line.tenant is 'Organisation of the customer.';
comment on column business_vault.ledger_line.customer is 'Whose it is.';
comment on column business_vault.ledger_line.billing_period is 'First day of the month that it is about.';
comment on column business_vault.ledger_line.account is
'Account: unbilled, receivable, prepaid, cash, usage_revenue, service_revenue, promotion, tax_payable, adjustment,
rounding or breakage.';
comment on column business_vault.ledger_line.debit_usd is 'Debited; NULL for a credit.';
comment on column business_vault.ledger_line.credit_usd is 'Credited; NULL for a debit.';
comment on column business_vault.ledger_line.amount_usd is 'Debits above 0, credits below.';
comment on column business_vault.ledger_line.invoice_number is 'Invoice that it belongs to.';
comment on column business_vault.ledger_line.refers_to is 'Entry, or request, that it corrects.';
comment on column business_vault.ledger_line.memo is 'What was said about it.';
