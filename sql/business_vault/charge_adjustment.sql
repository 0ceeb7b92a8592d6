drop view if exists business_vault.charge_adjustment;
create view business_vault.charge_adjustment as
select
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    encode(j.api_request_hk, 'hex')::uuid as request_id,
    j.billing_period,
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    j.old_provider_cost as old_provider_cost_usd,
    j.new_provider_cost as new_provider_cost_usd,
    j.delta_provider_cost as delta_provider_cost_usd,
    j.old_own_key_cost as old_own_key_cost_usd,
    j.new_own_key_cost as new_own_key_cost_usd,
    j.old_charge as old_charge_usd,
    j.new_charge as new_charge_usd,
    j.delta_charge as delta_charge_usd,
    j.house_loss as house_loss_usd,
    j.reason::text as reason,
    j.rerate_run_id,
    j.load_date as adjusted_at
from gateway.charge_adjustment_s as j
inner join gateway.api_request_s as s on j.api_request_hk = s.api_request_hk and j.customer_hk = s.customer_hk
inner join gateway.customer_h as c on j.customer_hk = c.customer_hk
inner join auth.tenant_h as n on j.tenant_hk = n.tenant_hk
left join gateway.offer_l as l on s.offer_hk = l.offer_hk
left join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
left join gateway.model_h as m on l.model_hk = m.model_hk;

comment on view business_vault.charge_adjustment is
'What corrected prices changed of booked requests. What holds of a request is request_detail and all of its rows here
together; several runs may each have made one.';
comment on column business_vault.charge_adjustment.tenant is 'Organisation of the customer.';
comment on column business_vault.charge_adjustment.customer is 'Who called and pays.';
comment on column business_vault.charge_adjustment.request_id is 'The request.';
comment on column business_vault.charge_adjustment.billing_period is
'Month of the request, in the tenant''s time zone; its first day.';
comment on column business_vault.charge_adjustment.provider is 'Provider that answered.';
comment on column business_vault.charge_adjustment.model is 'Model that answered.';
comment on column business_vault.charge_adjustment.old_provider_cost_usd is
'What all its attempts cost the house before.';
comment on column business_vault.charge_adjustment.new_provider_cost_usd is 'What they cost by the corrected price.';
comment on column business_vault.charge_adjustment.delta_provider_cost_usd is 'The new cost less the old one.';
comment on column business_vault.charge_adjustment.old_own_key_cost_usd is
'What the provider asked the customer himself before, by his own key.';
comment on column business_vault.charge_adjustment.new_own_key_cost_usd is 'What it asks by the corrected price.';
comment on column business_vault.charge_adjustment.old_charge_usd is 'What the customer owed for it before.';
comment on column business_vault.charge_adjustment.new_charge_usd is
'What he owes by the corrected price; never more than was held for the call.';
comment on column business_vault.charge_adjustment.delta_charge_usd is 'What he owes more, or, below 0, less.';
comment on column business_vault.charge_adjustment.house_loss_usd is
'What of the corrected charge was more than was held: the house bears it.';
comment on column business_vault.charge_adjustment.reason is 'Why it was rated again.';
comment on column business_vault.charge_adjustment.rerate_run_id is 'Which run made it.';
comment on column business_vault.charge_adjustment.adjusted_at is 'When it was made.';
