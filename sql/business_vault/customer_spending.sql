drop view if exists business_vault.customer_spending;
create view business_vault.customer_spending as
select
    s.billing_period,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    s.total_requests,
    s.total_tokens,
    s.total_provider_cost as provider_cost_usd,
    s.total_gateway_revenue as markup_usd,
    s.total_customer_charges as customer_cost_usd,
    s.cost_by_provider as customer_cost_by_provider_usd,
    s.cost_by_model as customer_cost_by_model_usd,
    s.overage_charges as overage_usd,
    s.credits_applied as credits_usd,
    s.billing_status::text as billing_status,
    s.load_date as known_at
from gateway.customer_spending_s as s
inner join gateway.customer_spending_h as h on s.spending_hk = h.spending_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
where s.load_end_date is null;

comment on view business_vault.customer_spending is
'What each customer spent in a month of the tenant''s time zone, as the rollup last knew it; some minutes behind the
calls.';
comment on column business_vault.customer_spending.billing_period is 'First day of the month.';
comment on column business_vault.customer_spending.tenant is 'Organisation of the customer.';
comment on column business_vault.customer_spending.customer is 'Who called and pays.';
comment on column business_vault.customer_spending.total_requests is 'Requests of the month.';
comment on column business_vault.customer_spending.total_tokens is 'Input, cache, output and other tokens together.';
comment on column business_vault.customer_spending.provider_cost_usd is 'What the providers ask for it.';
comment on column business_vault.customer_spending.markup_usd is 'The gateway''s part of the charge.';
comment on column business_vault.customer_spending.customer_cost_usd is
'What the customer pays: provider cost and markup.';
comment on column business_vault.customer_spending.customer_cost_by_provider_usd is
'The same by provider: {"provider": usd}.';
comment on column business_vault.customer_spending.customer_cost_by_model_usd is 'The same by model: {"model": usd}.';
comment on column business_vault.customer_spending.overage_usd is 'Charged for use above the plan.';
comment on column business_vault.customer_spending.credits_usd is 'Taken off by credits.';
comment on column business_vault.customer_spending.billing_status is 'PENDING, BILLED or PAID.';
comment on column business_vault.customer_spending.known_at is 'When the rollup knew it.';
