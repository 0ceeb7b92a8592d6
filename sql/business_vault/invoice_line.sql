drop view if exists business_vault.invoice_line;
create view business_vault.invoice_line as
select
    s.invoice_number::text as invoice_number,
    s.invoice_status::text as invoice_status,
    l.line_number,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    s.billing_period,
    l.line_kind::text as line_kind,
    l.description::text as description,
    l.usage_period,
    l.provider::text as provider,
    l.model::text as model,
    l.plan::text as plan,
    l.days as charged_days,
    l.tax_percent,
    l.requests as request_count,
    l.input_tokens,
    l.cache_read_tokens,
    l.cache_write_tokens,
    l.output_tokens,
    l.total_tokens,
    l.provider_cost_usd,
    l.markup_usd,
    l.exact_usd,
    s.currency::text as currency,
    l.exact as exact_amount,
    l.amount as line_amount,
    l.remainder as remainder_amount
from gateway.invoice_s as s
inner join gateway.invoice_line_s as l on s.invoice_hk = l.invoice_hk and s.lines_load_date = l.load_date
inner join gateway.customer_h as c on l.customer_hk = c.customer_hk
inner join auth.tenant_h as n on l.tenant_hk = n.tenant_hk
where s.load_end_date is null;

comment on view business_vault.invoice_line is
'Lines of invoices and credit notes as they stand: usage by provider and model, services, what plans include,
adjustments, promotions, tax.';
comment on column business_vault.invoice_line.invoice_number is 'Invoice; NULL for a draft.';
comment on column business_vault.invoice_line.invoice_status is 'DRAFT, FINAL, PAID or VOID.';
comment on column business_vault.invoice_line.line_number is 'From 1 on.';
comment on column business_vault.invoice_line.tenant is 'Organisation of the customer.';
comment on column business_vault.invoice_line.customer is 'Who called and pays.';
comment on column business_vault.invoice_line.billing_period is 'First day of the invoice''s month.';
comment on column business_vault.invoice_line.line_kind is
'USAGE, INCLUDED (usage that plans include), SERVICE, ADJUSTMENT, PROMOTION or TAX.';
comment on column business_vault.invoice_line.description is 'What stands on the invoice.';
comment on column business_vault.invoice_line.usage_period is 'First day of the month that it is about; NULL for tax.';
comment on column business_vault.invoice_line.provider is 'Provider, for usage.';
comment on column business_vault.invoice_line.model is 'Model, for usage.';
comment on column business_vault.invoice_line.plan is 'Plan, for services.';
comment on column business_vault.invoice_line.charged_days is 'Days of the month that a service is charged for.';
comment on column business_vault.invoice_line.tax_percent is 'Rate, for tax.';
comment on column business_vault.invoice_line.request_count is 'Requests, for usage.';
comment on column business_vault.invoice_line.input_tokens is 'Input tokens that no cache held.';
comment on column business_vault.invoice_line.cache_read_tokens is 'Input tokens read from the provider''s cache.';
comment on column business_vault.invoice_line.cache_write_tokens is 'Input tokens written to the provider''s cache.';
comment on column business_vault.invoice_line.output_tokens is 'Tokens of the answers, reasoning included.';
comment on column business_vault.invoice_line.total_tokens is 'All of them together.';
comment on column business_vault.invoice_line.provider_cost_usd is 'What the provider asks for it.';
comment on column business_vault.invoice_line.markup_usd is 'The gateway''s part of the charge.';
comment on column business_vault.invoice_line.exact_usd is 'The charge in USD, not rounded.';
comment on column business_vault.invoice_line.currency is 'Currency of the amounts.';
comment on column business_vault.invoice_line.exact_amount is 'The charge in this currency, not rounded.';
comment on column business_vault.invoice_line.line_amount is
'The charge as it stands on the invoice: rounded once, halves to the even digit.';
comment on column business_vault.invoice_line.remainder_amount is
'What rounding took from the customer''s charge, or gave if negative.';
