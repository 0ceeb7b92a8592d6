drop view if exists admin.billing_profile;
drop view if exists admin.billing_profile_history;
create view admin.billing_profile_history as
select
    c.customer_bk::text as customer,
    e.legal_entity_bk::text as legal_entity,
    s.legal_name::text as legal_name,
    s.address,
    s.tax_number::text as tax_number,
    s.email::text as email,
    t.tax_bk::text as tax,
    s.currency::text as currency,
    s.payment_days,
    s.is_prepaid,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.customer_billing_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
left join gateway.legal_entity_h as e on s.legal_entity_hk = e.legal_entity_hk
left join gateway.tax_h as t on s.tax_hk = t.tax_hk;

create view admin.billing_profile as
select
    b.customer, b.legal_entity, b.legal_name, b.address, b.tax_number, b.email, b.tax, b.currency, b.payment_days,
    b.is_prepaid
from admin.billing_profile_history as b
where util.fn_is_in_force(b.load_date, b.load_end_date);

comment on view admin.billing_profile is
'How customers are billed. Whoever has no row is billed by the default seller under his own name, without a tax. It
outlives its customer: the last invoice is made out by it, so it can be changed and given after he was deleted.';
comment on column admin.billing_profile.customer is 'Customer.';
comment on column admin.billing_profile.legal_entity is 'Who bills him; NULL for the default one.';
comment on column admin.billing_profile.legal_name is 'Name on his invoices; the customer''s if not given.';
comment on column admin.billing_profile.address is 'Lines of his address.';
comment on column admin.billing_profile.tax_number is 'His number for taxes; NULL for none.';
comment on column admin.billing_profile.email is 'Where his invoices go; NULL for none.';
comment on column admin.billing_profile.tax is 'Tax of admin.tax_rate that he pays; NULL for none.';
comment on column admin.billing_profile.currency is 'Currency of his invoices; NULL for the seller''s.';
comment on column admin.billing_profile.payment_days is 'Days that he has to pay in; NULL for the seller''s.';
comment on column admin.billing_profile.is_prepaid is 'True: he pays before he uses.';
comment on view admin.billing_profile_history is 'Every version of every billing profile, deleted ones included.';
comment on column admin.billing_profile_history.customer is 'Customer.';
comment on column admin.billing_profile_history.legal_entity is 'Who billed him; NULL for the default one.';
comment on column admin.billing_profile_history.legal_name is 'Name on his invoices.';
comment on column admin.billing_profile_history.address is 'Lines of his address.';
comment on column admin.billing_profile_history.tax_number is 'His number for taxes.';
comment on column admin.billing_profile_history.email is 'Where his invoices went.';
comment on column admin.billing_profile_history.tax is 'Tax that he paid; NULL for none.';
comment on column admin.billing_profile_history.currency is 'Currency of his invoices; NULL for the seller''s.';
comment on column admin.billing_profile_history.payment_days is 'Days that he had to pay in; NULL for the seller''s.';
comment on column admin.billing_profile_history.is_prepaid is 'Whether he paid before he used.';
comment on column admin.billing_profile_history.load_date is 'Since when this version holds.';
comment on column admin.billing_profile_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.billing_profile_history.record_source is 'SQL user who made this version.';
comment on column admin.billing_profile_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.billing_profile_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.billing_profile_history.end_reason is 'Why it was deleted.';
