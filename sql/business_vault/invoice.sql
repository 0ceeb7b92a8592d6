drop view if exists business_vault.invoice;
create view business_vault.invoice as
select
    s.invoice_number::text as invoice_number,
    s.invoice_kind::text as invoice_kind,
    s.invoice_status::text as invoice_status,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    s.billing_period,
    s.issued_on,
    s.due_on,
    s.known_at,
    s.seller ->> 'legal_name' as seller,
    s.buyer ->> 'legal_name' as buyer,
    r.invoice_number::text as refers_to,
    s.currency::text as currency,
    s.units_per_usd,
    s.rate_date,
    (s.usage ->> 'requests')::bigint as request_count,
    (s.usage ->> 'total_tokens')::bigint as total_tokens,
    (s.usage ->> 'provider_cost_usd')::numeric as provider_cost_usd,
    (s.usage ->> 'markup_usd')::numeric as markup_usd,
    s.exact_usd,
    s.subtotal as subtotal_amount,
    s.tax_total as tax_amount,
    s.total as total_amount,
    s.credited as credited_amount,
    s.prepaid_applied as prepaid_amount,
    s.paid as paid_amount,
    case when s.invoice_status = 'VOID' then 0 else s.total - s.credited - s.prepaid_applied - s.paid end as due_amount,
    s.load_date as recorded_at
from gateway.invoice_s as s
inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
left join gateway.invoice_s as r on s.refers_to_hk = r.invoice_hk and r.load_end_date is null
where s.load_end_date is null;

comment on view business_vault.invoice is
'Invoices and credit notes as they stand: one row each, drafts included. Amounts are in the invoice''s currency, those
in usd exact.';
comment on column business_vault.invoice.invoice_number is 'Number that the seller gave; NULL for a draft.';
comment on column business_vault.invoice.invoice_kind is 'INVOICE or CREDIT_NOTE.';
comment on column business_vault.invoice.invoice_status is
'DRAFT, FINAL, PAID (nothing of it is due any more, paid or credited) or VOID.';
comment on column business_vault.invoice.tenant is 'Organisation of the customer.';
comment on column business_vault.invoice.customer is 'Who called and pays.';
comment on column business_vault.invoice.billing_period is 'First day of the month, in the tenant''s calendar.';
comment on column business_vault.invoice.issued_on is 'Day on which it was made out; NULL for a draft.';
comment on column business_vault.invoice.due_on is 'Day until which it is to be paid.';
comment on column business_vault.invoice.known_at is 'What was booked until then is on it.';
comment on column business_vault.invoice.seller is 'Legal name of the seller.';
comment on column business_vault.invoice.buyer is 'Legal name of the buyer.';
comment on column business_vault.invoice.refers_to is 'Number of the invoice that a credit note is about.';
comment on column business_vault.invoice.currency is 'Currency of the amounts.';
comment on column business_vault.invoice.units_per_usd is
'Units of the currency for one USD, by the rate of rate_date.';
comment on column business_vault.invoice.rate_date is 'Day of the exchange rate; NULL for USD.';
comment on column business_vault.invoice.request_count is 'Requests of the month.';
comment on column business_vault.invoice.total_tokens is 'Tokens of the month.';
comment on column business_vault.invoice.provider_cost_usd is 'What the providers ask for the month''s usage.';
comment on column business_vault.invoice.markup_usd is 'The gateway''s part of the month''s charges.';
comment on column business_vault.invoice.exact_usd is 'What the lines come to before rounding and tax.';
comment on column business_vault.invoice.subtotal_amount is 'What the lines come to, each rounded.';
comment on column business_vault.invoice.tax_amount is 'Tax.';
comment on column business_vault.invoice.total_amount is 'Subtotal and tax.';
comment on column business_vault.invoice.credited_amount is
'Taken off by its credit notes; of a credit note what was taken off its invoice, below zero.';
comment on column business_vault.invoice.prepaid_amount is 'Paid from prepaid credits.';
comment on column business_vault.invoice.paid_amount is
'Paid otherwise; of what is given back, refunded, below zero.';
comment on column business_vault.invoice.due_amount is
'Still to be paid: the total without what was credited and paid; below zero, to be given back.';
comment on column business_vault.invoice.recorded_at is 'Since when it stands so.';
