-- A change that was planned from a plan ends with it.
set local role onevault_owner;

alter table gateway.subscription_s add column follows_plan_hk bytea references gateway.plan_h (plan_hk);
comment on column gateway.subscription_s.follows_plan_hk is
'Plan that it is to follow: until it begins it ends with that one. NULL: it was planned by itself.';
