-- What stands on the views of admin goes first.
drop function if exists admin.config_diff(timestamptz, timestamptz);
drop view if exists admin.config_history;
drop view if exists admin.tenant;
drop view if exists admin.tenant_history;
create view admin.tenant_history as
select
    h.tenant_bk::text as tenant,
    s.tenant_name::text as tenant_name,
    s.time_zone,
    trim_scale(s.markup_percent) as markup_percent,
    s.address_policy::text as address_policy,
    s.baseline_model::text as baseline_model,
    s.allowed_betas,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from auth.tenant_h as h
inner join auth.tenant_s as s on h.tenant_hk = s.tenant_hk;

create view admin.tenant as
select
    t.tenant, t.tenant_name, t.time_zone, t.markup_percent, t.address_policy, t.baseline_model, t.allowed_betas,
    t.is_active
from admin.tenant_history as t
where util.fn_is_in_force(t.load_date, t.load_end_date);

comment on view admin.tenant is
'Organisations whose customers call the gateway. DELETE works once a tenant has no customers; its name is not used
again.';
comment on column admin.tenant.tenant is 'Name that customers are filed under; cannot be changed.';
comment on column admin.tenant.tenant_name is 'Name in full, for bills; the short name if not given.';
comment on column admin.tenant.time_zone is
'IANA name; days and months of budgets begin at its midnight. UTC if not given.';
comment on column admin.tenant.markup_percent is
'Percent added to provider cost, unless a customer has a markup of its own. 20 if not given.';
comment on column admin.tenant.address_policy is
'How callers'' addresses and agents are kept: FULL, SHORTENED (if not given) or NONE.';
comment on column admin.tenant.baseline_model is
'Model, or provider/model, that calls which name none are compared with in business_vault.savings; NULL for none.';
comment on column admin.tenant.allowed_betas is
'What its customers may name in the header anthropic-beta, as far as the provider lets it pass, too; NULL for all, {}
for nothing.';
comment on column admin.tenant.is_active is 'False refuses every call of its customers.';

comment on view admin.tenant_history is 'Every version of every tenant, deleted ones included.';
comment on column admin.tenant_history.tenant is 'Name that customers are filed under.';
comment on column admin.tenant_history.tenant_name is 'Name in full.';
comment on column admin.tenant_history.time_zone is 'IANA name; days and months of budgets begin at its midnight.';
comment on column admin.tenant_history.markup_percent is 'Percent added to provider cost.';
comment on column admin.tenant_history.address_policy is 'How callers'' addresses and agents were kept.';
comment on column admin.tenant_history.baseline_model is 'What calls that named no model were compared with.';
comment on column admin.tenant_history.allowed_betas is 'What its customers could name in anthropic-beta.';
comment on column admin.tenant_history.is_active is 'Whether its customers could call.';
comment on column admin.tenant_history.load_date is 'Since when this version holds.';
comment on column admin.tenant_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.tenant_history.record_source is 'SQL user who made this version.';
comment on column admin.tenant_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.tenant_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.tenant_history.end_reason is 'Why it was deleted.';
