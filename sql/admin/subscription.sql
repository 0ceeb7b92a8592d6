create view admin.subscription_history as
select
    c.customer_bk::text as customer,
    p.plan_bk::text as plan,
    s.valid_from,
    s.valid_to,
    s.trial_until,
    f.plan_bk::text as follows,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.subscription_l as l
inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk
inner join gateway.customer_h as c on l.customer_hk = c.customer_hk
inner join gateway.plan_h as p on l.plan_hk = p.plan_hk
left join gateway.plan_h as f on s.follows_plan_hk = f.plan_hk;

create view admin.subscription as
select s.customer, s.plan, s.valid_from, s.valid_to, s.trial_until, s.follows
from admin.subscription_history as s
where util.fn_is_in_force(s.load_date, s.load_end_date);

comment on view admin.subscription is
'Which customer has which plan, by days of his tenant''s time zone. To end one, set valid_to; DELETE takes back one that
should never have been. Days of a closed month stay as they were invoiced; admin.change_plan() goes from plan to plan.';
comment on column admin.subscription.customer is 'Customer.';
comment on column admin.subscription.plan is 'Plan or service.';
comment on column admin.subscription.valid_from is 'First day of it; today if not given.';
comment on column admin.subscription.valid_to is 'First day without it; infinity if not given.';
comment on column admin.subscription.trial_until is 'First day that costs; NULL: all of them do.';
comment on column admin.subscription.follows is
'Plan that it is to follow: if that ends before it begins, it is taken back. NULL: it was planned by itself.';
comment on view admin.subscription_history is 'Every version of every subscription, those taken back included.';
comment on column admin.subscription_history.customer is 'Customer.';
comment on column admin.subscription_history.plan is 'Plan or service.';
comment on column admin.subscription_history.valid_from is 'First day of it.';
comment on column admin.subscription_history.valid_to is 'First day without it.';
comment on column admin.subscription_history.trial_until is 'First day that costs; NULL: all of them do.';
comment on column admin.subscription_history.follows is 'Plan that it was to follow; NULL: planned by itself.';
comment on column admin.subscription_history.load_date is 'Since when this version is known.';
comment on column admin.subscription_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.subscription_history.record_source is 'SQL user who made this version.';
comment on column admin.subscription_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.subscription_history.ended_by is 'SQL user who took it back; NULL unless it was.';
comment on column admin.subscription_history.end_reason is 'Why it was taken back.';
