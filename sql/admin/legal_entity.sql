drop view if exists admin.legal_entity;
drop view if exists admin.legal_entity_history;
create view admin.legal_entity_history as
select
    h.legal_entity_bk::text as legal_entity,
    s.legal_name::text as legal_name,
    s.address,
    s.tax_number::text as tax_number,
    s.email::text as email,
    s.payment_instructions,
    s.invoice_prefix::text as invoice_prefix,
    s.currency::text as currency,
    s.payment_days,
    s.is_default,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.legal_entity_h as h
inner join gateway.legal_entity_s as s on h.legal_entity_hk = s.legal_entity_hk;

create view admin.legal_entity as
select
    e.legal_entity, e.legal_name, e.address, e.tax_number, e.email, e.payment_instructions, e.invoice_prefix,
    e.currency, e.payment_days, e.is_default
from admin.legal_entity_history as e
where util.fn_is_in_force(e.load_date, e.load_end_date);

comment on view admin.legal_entity is
'Who sells: companies that make out invoices, each with numbers of its own. What is changed stands on later invoices.';
comment on column admin.legal_entity.legal_entity is 'Short name; cannot be changed.';
comment on column admin.legal_entity.legal_name is 'Name in full, as it stands on invoices.';
comment on column admin.legal_entity.address is 'Lines of its address.';
comment on column admin.legal_entity.tax_number is 'Its number for taxes, such as a VAT number; NULL for none.';
comment on column admin.legal_entity.email is 'Where customers write about invoices; NULL for none.';
comment on column admin.legal_entity.payment_instructions is 'Lines that say how to pay, such as a bank account.';
comment on column admin.legal_entity.invoice_prefix is
'What the numbers of its invoices begin with, its own; cannot be changed once an invoice bears it.';
comment on column admin.legal_entity.currency is
'Currency (ISO 4217) of customers whose profile names none; USD if not given.';
comment on column admin.legal_entity.payment_days is 'Days to pay in, where a profile names none; 30 if not given.';
comment on column admin.legal_entity.is_default is
'True: sells to customers whose profile names nobody. There is one: the first, until another is set.';
comment on view admin.legal_entity_history is 'Every version of every seller, deleted ones included.';
comment on column admin.legal_entity_history.legal_entity is 'Short name.';
comment on column admin.legal_entity_history.legal_name is 'Name in full.';
comment on column admin.legal_entity_history.address is 'Lines of its address.';
comment on column admin.legal_entity_history.tax_number is 'Its number for taxes.';
comment on column admin.legal_entity_history.email is 'Where customers wrote to.';
comment on column admin.legal_entity_history.payment_instructions is 'Lines that said how to pay.';
comment on column admin.legal_entity_history.invoice_prefix is 'What numbers of its invoices began with.';
comment on column admin.legal_entity_history.currency is 'Currency of customers whose profile named none.';
comment on column admin.legal_entity_history.payment_days is 'Days to pay in, where a profile named none.';
comment on column admin.legal_entity_history.is_default is 'Whether it sold to customers whose profile named nobody.';
comment on column admin.legal_entity_history.load_date is 'Since when this version holds.';
comment on column admin.legal_entity_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.legal_entity_history.record_source is 'SQL user who made this version.';
comment on column admin.legal_entity_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.legal_entity_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.legal_entity_history.end_reason is 'Why it was deleted.';
