drop view if exists business_vault.credit_balance;
create view business_vault.credit_balance as
select
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    regexp_replace(h.credit_bk, '^.*\|', '') as credit,
    s.credit_kind::text as credit_kind,
    trim_scale(s.amount_usd) as granted_usd,
    trim_scale(s.amount_usd - b.remaining_usd - b.expired_usd) as used_usd,
    trim_scale(b.expired_usd) as expired_usd,
    trim_scale(b.remaining_usd) as remaining_usd,
    s.priority,
    s.valid_from,
    s.expires_on
from gateway.credit_h as h
inner join gateway.credit_s as s on h.credit_hk = s.credit_hk and s.load_end_date is null
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
cross join lateral (
    select
        coalesce(-sum(p.amount_usd), 0) as remaining_usd,
        coalesce(sum(p.amount_usd) filter (where e.entry_kind = 'CREDIT_EXPIRY'), 0) as expired_usd
    from gateway.ledger_posting_s as p
    inner join gateway.ledger_entry_s as e on p.ledger_entry_hk = e.ledger_entry_hk
    where p.customer_hk = h.customer_hk and p.account = 'prepaid' and p.credit_hk = h.credit_hk
) as b;

comment on view business_vault.credit_balance is
'Credits of customers by the ledger: granted is used, expired or left. Usage of a month takes from them when the month
is closed.';
comment on column business_vault.credit_balance.tenant is 'Organisation of the customer.';
comment on column business_vault.credit_balance.customer is 'Whose credit it is.';
comment on column business_vault.credit_balance.credit is 'Name of the credit; of a top-up its reference.';
comment on column business_vault.credit_balance.credit_kind is 'PREPAID, paid for, or PROMOTION.';
comment on column business_vault.credit_balance.granted_usd is 'What it was.';
comment on column business_vault.credit_balance.used_usd is 'What closed months have used of it.';
comment on column business_vault.credit_balance.expired_usd is 'What was left when it ended.';
comment on column business_vault.credit_balance.remaining_usd is 'What is left.';
comment on column business_vault.credit_balance.priority is 'Lower ones are used first.';
comment on column business_vault.credit_balance.valid_from is 'First day whose usage it pays for.';
comment on column business_vault.credit_balance.expires_on is 'First day whose usage it does not pay for.';
