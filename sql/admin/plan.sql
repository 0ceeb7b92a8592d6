drop view if exists admin.subscription;
drop view if exists admin.subscription_history;
drop view if exists admin.plan;
drop view if exists admin.plan_history;
create view admin.plan_history as
select
    h.plan_bk::text as plan,
    s.plan_name::text as plan_name,
    trim_scale(s.monthly_fee_usd) as monthly_fee_usd,
    trim_scale(s.included_usage_usd) as included_usage_usd,
    s.entitlements,
    s.is_active,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.plan_h as h
inner join gateway.plan_s as s on h.plan_hk = s.plan_hk;

create view admin.plan as
select p.plan, p.plan_name, p.monthly_fee_usd, p.included_usage_usd, p.entitlements, p.is_active
from admin.plan_history as p
where util.fn_is_in_force(p.load_date, p.load_end_date);

comment on view admin.plan is
'Plans and services that customers subscribe to. What is changed holds from today on. DELETE works once nobody has it
any more.';
comment on column admin.plan.plan is 'Short name; cannot be changed.';
comment on column admin.plan.plan_name is 'Name in full, for bills; the short name if not given.';
comment on column admin.plan.monthly_fee_usd is 'USD a month; days of a month are charged alike.';
comment on column admin.plan.included_usage_usd is 'USD of usage a month that the fee pays for; 0 if not given.';
comment on column admin.plan.entitlements is 'What it entitles to: words like analytics or advanced_routing.';
comment on column admin.plan.is_active is 'False: nobody can subscribe to it any more; who has it keeps it.';
comment on view admin.plan_history is 'Every version of every plan, deleted ones included.';
comment on column admin.plan_history.plan is 'Short name.';
comment on column admin.plan_history.plan_name is 'Name in full.';
comment on column admin.plan_history.monthly_fee_usd is 'USD a month.';
comment on column admin.plan_history.included_usage_usd is 'USD of usage a month that the fee paid for.';
comment on column admin.plan_history.entitlements is 'What it entitled to.';
comment on column admin.plan_history.is_active is 'Whether one could subscribe to it.';
comment on column admin.plan_history.load_date is 'Since when this version holds.';
comment on column admin.plan_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.plan_history.record_source is 'SQL user who made this version.';
comment on column admin.plan_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.plan_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.plan_history.end_reason is 'Why it was deleted.';
