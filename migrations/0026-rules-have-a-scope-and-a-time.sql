-- Rules apply to all, a tenant, a customer or a token, from a moment to another, and may deny. What routing reads of
-- them stands in the order in which it is looked at, under the values that a call must have.
set local role onevault_owner;

alter table gateway.routing_rule_s add column tenant_hk bytea;
alter table gateway.routing_rule_s add column customer_hk bytea;
alter table gateway.routing_rule_s add column token_hk bytea;
alter table gateway.routing_rule_s add column deny_reason varchar(500);
alter table gateway.routing_rule_s add column valid_from timestamptz not null default '-infinity';
alter table gateway.routing_rule_s add column valid_to timestamptz not null default 'infinity';
-- squawk-ignore constraint-missing-not-valid
alter table gateway.routing_rule_s add constraint rule_has_one_scope check (
    num_nonnulls(customer_hk, token_hk) <= num_nonnulls(tenant_hk)
);
-- squawk-ignore constraint-missing-not-valid
alter table gateway.routing_rule_s add constraint rule_ends_after_it_begins check (valid_to > valid_from);

alter table gateway.routing_rule_s enable row level security, force row level security;
create policy owner_sees_all on gateway.routing_rule_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.routing_rule_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk is null or tenant_hk = (select util.fn_current_tenant()));

comment on column gateway.routing_rule_s.tenant_hk is
'Tenant whose calls it is for, or that its customer or token belongs to; NULL for a rule for all.';
comment on column gateway.routing_rule_s.deny_reason is 'Calls are refused with this reason; NULL lets them through.';

-- It is made anew right after this, by the function that is new as well.
delete from ops.rule as r where true;
-- squawk-ignore require-concurrent-index-deletion
drop index ops.rule_in_order;
-- squawk-ignore adding-required-field
alter table ops.rule add column distance smallint not null;
-- squawk-ignore adding-required-field
alter table ops.rule add column valid_from timestamptz not null;
-- squawk-ignore adding-required-field
alter table ops.rule add column valid_to timestamptz not null;
-- squawk-ignore adding-required-field
alter table ops.rule add column asks_for_budget boolean not null;
alter table ops.rule add column deny_reason text;

create table ops.rule_gate (
    gate text not null,
    routing_rule_hk bytea not null references ops.rule (routing_rule_hk) on delete cascade,
    primary key (gate, routing_rule_hk)
);

create index rule_gate_by_rule on ops.rule_gate (routing_rule_hk);

comment on table ops.rule is
'Active rules as routing reads them. Of those that meet a call the first decides: by distance, rule_priority and name.';
comment on column ops.rule.distance is '0 for a rule of a token, 1 of a customer, 2 of a tenant, 3 for all.';
comment on column ops.rule.condition_path is 'Compiled conditions; NULL for a rule that every call meets.';
comment on column ops.rule.asks_for_budget is 'Whether budget_used_percent must be known to look at it.';
comment on table ops.rule_gate is
'Values by which rules are found: a rule is looked at only if the call has one of its gates. * is everybody''s.';

-- It takes the moment from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_match_rule(ops.principal, gateway.request_features, bigint);

-- It takes the rules that changed from now on.
-- squawk-ignore ban-drop-function
drop function if exists ops.fn_refresh_rules();
