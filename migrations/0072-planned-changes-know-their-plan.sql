-- A change that was planned from a plan ends with it.
set local role onevault_owner;

alter table gateway.subscription_s add column follows_plan_hk bytea;
alter table gateway.subscription_s add constraint follows_a_plan
foreign key (follows_plan_hk) references gateway.plan_h (plan_hk) not valid;
comment on column gateway.subscription_s.follows_plan_hk is
'Plan that it is to follow: until it begins it ends with that one. NULL: it was planned by itself.';
