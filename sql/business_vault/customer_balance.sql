drop view if exists business_vault.customer_balance;
create view business_vault.customer_balance as
select
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    coalesce(u.charged_usd, 0) + coalesce(a.charged_usd, 0) + coalesce(p.unbilled_usd, 0) as unbilled_usd,
    coalesce(p.receivable_usd, 0) as receivable_usd,
    coalesce(p.prepaid_usd, 0) as prepaid_usd,
    b.settled_usd,
    coalesce(r.month_held_usd, 0) as held_usd,
    b.settled_usd - coalesce(r.month_held_usd, 0) as available_usd
from gateway.customer_h as c
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
left join lateral (
    select sum(v.customer_cost_usd) as charged_usd
    from business_vault.usage_part as v
    where v.customer = c.customer_bk::text
) as u on true
left join lateral (
    select sum(s.delta_charge) as charged_usd
    from gateway.charge_adjustment_s as s
    where s.customer_hk = c.customer_hk
) as a on true
left join lateral (
    select
        sum(l.amount_usd) filter (where l.account = 'unbilled') as unbilled_usd,
        sum(l.amount_usd) filter (where l.account = 'receivable') as receivable_usd,
        -sum(l.amount_usd) filter (where l.account = 'prepaid') as prepaid_usd
    from gateway.ledger_posting_s as l
    where l.customer_hk = c.customer_hk
) as p on true
left join ops.scope_state as r on c.customer_hk = r.scope_hk and r.scope_kind = 'customer'
cross join lateral (
    values (
        coalesce(p.prepaid_usd, 0) - coalesce(p.receivable_usd, 0) - coalesce(p.unbilled_usd, 0)
        - coalesce(u.charged_usd, 0) - coalesce(a.charged_usd, 0)
    )
) as b (settled_usd);

comment on view business_vault.customer_balance is
'What each customer owes or has: settled by the ledger, and available once what is held for calls under way is taken
off.';
comment on column business_vault.customer_balance.tenant is 'Organisation of the customer.';
comment on column business_vault.customer_balance.customer is 'Whose balance it is.';
comment on column business_vault.customer_balance.unbilled_usd is 'Charged, and on no invoice yet.';
comment on column business_vault.customer_balance.receivable_usd is
'On invoices, and not paid yet; negative if he has paid too much.';
comment on column business_vault.customer_balance.prepaid_usd is 'Credits that are left, promotions among them.';
comment on column business_vault.customer_balance.settled_usd is
'Credits without what is unbilled and receivable: negative is what he owes.';
comment on column business_vault.customer_balance.held_usd is 'Held for calls under way.';
comment on column business_vault.customer_balance.available_usd is 'Settled without what is held.';
