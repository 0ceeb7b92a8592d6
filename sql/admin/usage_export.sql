drop view if exists admin.usage_export_delivery;
drop view if exists admin.usage_export_customer;
drop view if exists admin.usage_export_customer_history;
drop view if exists admin.usage_export;
drop view if exists admin.usage_export_history;
create view admin.usage_export_history as
select
    h.usage_export_bk::text as export,
    s.export_kind::text as kind,
    s.endpoint::text as endpoint,
    s.event_name::text as event_name,
    s.event_value::text as value,
    n.tenant_bk::text as tenant,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.usage_export_h as h
inner join gateway.usage_export_s as s on h.usage_export_hk = s.usage_export_hk
left join auth.tenant_h as n on s.tenant_hk = n.tenant_hk;

create view admin.usage_export as
select
    e.export, e.kind, e.endpoint, e.event_name, e.value, e.tenant, e.is_active,
    k.load_date is not null as has_key,
    k.load_date as key_set_at
from admin.usage_export_history as e
inner join gateway.usage_export_h as h on e.export = h.usage_export_bk
left join gateway.usage_export_key_s as k
    on h.usage_export_hk = k.usage_export_hk and util.fn_is_in_force(k.load_date, k.load_end_date)
where util.fn_is_in_force(e.load_date, e.load_end_date);

create view admin.usage_export_customer_history as
select
    h.usage_export_bk::text as export,
    c.customer_bk::text as customer,
    s.external_id::text as external_id,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.usage_export_customer_l as l
inner join gateway.usage_export_customer_s as s on l.usage_export_customer_hk = s.usage_export_customer_hk
inner join gateway.usage_export_h as h on l.usage_export_hk = h.usage_export_hk
inner join gateway.customer_h as c on l.customer_hk = c.customer_hk;

create view admin.usage_export_customer as
select e.export, e.customer, e.external_id
from admin.usage_export_customer_history as e
where util.fn_is_in_force(e.load_date, e.load_end_date);

comment on view admin.usage_export is
'Systems that usage is handed over to: each charge of a customer that stands in usage_export_customer is an event there.
Nothing is sent before "onevault export key set".';
comment on column admin.usage_export.export is
'Short name in lower case; cannot be changed: it is part of each event''s id.';
comment on column admin.usage_export.kind is 'STRIPE, LAGO or OPENMETER; cannot be changed.';
comment on column admin.usage_export.endpoint is
'Base address, https, or http on this machine; the kind''s own service if not given.';
comment on column admin.usage_export.event_name is
'What the target calls such events: event name of a meter (Stripe), code of a metric (Lago), type (OpenMeter).';
comment on column admin.usage_export.value is
'What an event counts: TOKENS, CHARGE_USD (to Stripe in ten-billionths of a dollar) or REQUESTS; cannot be changed.';
comment on column admin.usage_export.tenant is 'Whose customers it is for; NULL for all. Cannot be changed.';
comment on column admin.usage_export.is_active is
'False: nothing is written down for it and nothing is sent; what waits goes on when it is true again.';
comment on column admin.usage_export.has_key is 'Whether it has a key; set by "onevault export key set".';
comment on column admin.usage_export.key_set_at is 'When its key was set or sealed anew; NULL for none.';
comment on view admin.usage_export_history is 'Every version of every export, deleted ones included.';
comment on column admin.usage_export_history.export is 'Short name.';
comment on column admin.usage_export_history.kind is 'STRIPE, LAGO or OPENMETER.';
comment on column admin.usage_export_history.endpoint is 'Base address.';
comment on column admin.usage_export_history.event_name is 'What the target calls such events.';
comment on column admin.usage_export_history.value is 'What an event counts: TOKENS, CHARGE_USD or REQUESTS.';
comment on column admin.usage_export_history.tenant is 'Whose customers it is for; NULL for all.';
comment on column admin.usage_export_history.is_active is 'Whether events were written down and sent.';
comment on column admin.usage_export_history.load_date is 'Since when this version holds.';
comment on column admin.usage_export_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.usage_export_history.record_source is 'SQL user who made this version.';
comment on column admin.usage_export_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.usage_export_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.usage_export_history.end_reason is 'Why it was deleted.';
comment on view admin.usage_export_customer is
'Customers whose usage an export hands over. Who has no row here is not exported.';
comment on column admin.usage_export_customer.export is 'Export.';
comment on column admin.usage_export_customer.customer is 'Customer.';
comment on column admin.usage_export_customer.external_id is
'His id at the target: customer cus_… (Stripe), external_subscription_id (Lago), subject (OpenMeter: else his name).';
comment on view admin.usage_export_customer_history is 'Every version of every customer''s id at an export.';
comment on column admin.usage_export_customer_history.export is 'Export.';
comment on column admin.usage_export_customer_history.customer is 'Customer.';
comment on column admin.usage_export_customer_history.external_id is 'His id at the target.';
comment on column admin.usage_export_customer_history.load_date is 'Since when this version holds.';
comment on column admin.usage_export_customer_history.load_end_date is 'When it ended; NULL while in force.';
comment on column admin.usage_export_customer_history.record_source is 'SQL user who made this version.';
comment on column admin.usage_export_customer_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.usage_export_customer_history.ended_by is 'SQL user who took him off; NULL for none.';
comment on column admin.usage_export_customer_history.end_reason is 'Why he was taken off.';
