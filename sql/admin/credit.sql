drop view if exists admin.credit;
drop view if exists admin.credit_history;
create view admin.credit_history as
select
    c.customer_bk::text as customer,
    regexp_replace(h.credit_bk, '^.*\|', '') as credit,
    s.credit_kind::text as credit_kind,
    trim_scale(s.amount_usd) as amount_usd,
    s.priority,
    s.valid_from,
    s.expires_on,
    s.description::text as description,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.credit_h as h
inner join gateway.credit_s as s on h.credit_hk = s.credit_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk;

create view admin.credit as
select
    c.customer_bk::text as customer,
    regexp_replace(h.credit_bk, '^.*\|', '') as credit,
    s.credit_kind::text as credit_kind,
    trim_scale(s.amount_usd) as amount_usd,
    s.priority,
    s.valid_from,
    s.expires_on,
    s.description::text as description,
    trim_scale(s.amount_usd - b.remaining_usd - b.expired_usd) as used_usd,
    trim_scale(b.expired_usd) as expired_usd,
    trim_scale(b.remaining_usd) as remaining_usd
from gateway.credit_h as h
inner join gateway.credit_s as s on h.credit_hk = s.credit_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
cross join lateral (
    select
        coalesce(-sum(p.amount_usd), 0) as remaining_usd,
        coalesce(sum(p.amount_usd) filter (where e.entry_kind = 'CREDIT_EXPIRY'), 0) as expired_usd
    from gateway.ledger_posting_s as p
    inner join gateway.ledger_entry_s as e on p.ledger_entry_hk = e.ledger_entry_hk
    where
        p.customer_hk = h.customer_hk and p.account = 'prepaid' and p.credit_hk = h.credit_hk
        and util.fn_is_in_force(p.load_date, null)
) as b
where util.fn_is_in_force(s.load_date, s.load_end_date);

comment on view admin.credit is
'Credits of customers: money that they have paid ahead, and promotions. The close of a month uses them by priority, then
by expiry. INSERT grants one and posts it; DELETE takes one back that nothing is used of. What is left of one ends on
expires_on, once the last month that it is good for is closed.';
comment on column admin.credit.customer is 'Whose it is.';
comment on column admin.credit.credit is 'Name, once for each customer; made from kind and day if not given.';
comment on column admin.credit.credit_kind is
'PREPAID: paid for, pays invoices, tax included. PROMOTION: given, lowers invoices before tax.';
comment on column admin.credit.amount_usd is 'How much was granted.';
comment on column admin.credit.priority is 'Lower ones are used first; 100 if not given.';
comment on column admin.credit.valid_from is 'First day whose usage it pays for; today if not given.';
comment on column admin.credit.expires_on is 'First day whose usage it does not pay for; infinity if not given.';
comment on column admin.credit.description is 'What invoices say of a promotion; made from the kind if not given.';
comment on column admin.credit.used_usd is 'What closed months have used of it; follows from the ledger.';
comment on column admin.credit.expired_usd is 'What was left when it ended; follows from the ledger.';
comment on column admin.credit.remaining_usd is 'What is left; follows from the ledger.';
comment on view admin.credit_history is 'Every version of every credit, those taken back included.';
comment on column admin.credit_history.customer is 'Whose it is.';
comment on column admin.credit_history.credit is 'Name.';
comment on column admin.credit_history.credit_kind is 'PREPAID or PROMOTION.';
comment on column admin.credit_history.amount_usd is 'How much was granted.';
comment on column admin.credit_history.priority is 'Lower ones are used first.';
comment on column admin.credit_history.valid_from is 'First day whose usage it pays for.';
comment on column admin.credit_history.expires_on is 'First day whose usage it does not pay for.';
comment on column admin.credit_history.description is 'What invoices say of a promotion.';
comment on column admin.credit_history.load_date is 'Since when this version holds.';
comment on column admin.credit_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.credit_history.record_source is 'SQL user who made this version.';
comment on column admin.credit_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.credit_history.ended_by is 'SQL user who took it back; NULL unless one did.';
comment on column admin.credit_history.end_reason is 'Why it was taken back.';
