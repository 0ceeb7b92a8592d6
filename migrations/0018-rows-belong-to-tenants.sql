-- Row-level security, forced on every table with a tenant's data. The house's functions act as the owner and see all;
-- business_vault's views belong to the reader, who sees the rows of one tenant. What a policy asks does not depend on
-- the row, or is a look-up by key. Policies stand here and not in sql/, because making one locks its table.
set local role onevault_owner;

create function util.fn_bound_tenants(p_session_role name, p_current_role name) returns bytea[]
language sql stable security definer parallel safe set search_path = ''
begin atomic
    select array_agg(distinct t.tenant_hk)
    from auth.tenant_role as t
    inner join pg_catalog.pg_roles as b on t.role_name = b.rolname
    inner join pg_catalog.pg_roles as r on r.rolname in (p_session_role, p_current_role)
    where b.oid = r.oid or (not r.rolsuper and pg_catalog.pg_has_role(r.oid, b.oid, 'member'));
end;

comment on function util.fn_bound_tenants(name, name) is
'Tenants that a session is bound to by auth.tenant_role, by its roles and those they belong to; NULL when to none.';

create function util.fn_choose_tenant(p_session_role name, p_current_role name, p_chosen text) returns bytea
language sql stable security definer parallel safe set search_path = ''
begin atomic
    select case
        when b.tenants is null or h.tenant_hk = any(b.tenants) then h.tenant_hk
        when cardinality(b.tenants) = 1 then b.tenants[1]
    end
    from (select util.fn_bound_tenants(p_session_role, p_current_role) as tenants) as b
    left join auth.tenant_h as h on h.tenant_bk = p_chosen;
end;

comment on function util.fn_choose_tenant(name, name, text) is
'The tenant a session sees: the one it names, unless its roles are bound to others; NULL for none.';

create function util.fn_may_see_all_tenants(p_session_role name, p_current_role name) returns boolean
language sql stable security definer parallel safe set search_path = ''
return pg_catalog.pg_has_role(p_current_role, 'onevault_dba', 'member')
    and util.fn_bound_tenants(p_session_role, p_current_role) is null;

comment on function util.fn_may_see_all_tenants(name, name) is
'True for DBAs and superusers whose roles are bound to no tenant.';

-- Invoker's rights: who asks is the point.
create function util.fn_current_tenant() returns bytea
language sql stable parallel safe
return util.fn_choose_tenant(session_user, current_user, nullif(current_setting('onevault.tenant', true), ''));

comment on function util.fn_current_tenant() is
'Hash key of the tenant whose rows this session sees: its role''s, else the one named by the setting onevault.tenant.';

create function util.fn_sees_all_tenants() returns boolean
language sql stable parallel safe
return coalesce(current_setting('onevault.tenant', true), '') = ''
    and util.fn_may_see_all_tenants(session_user, current_user);

comment on function util.fn_sees_all_tenants() is 'True for a DBA who has not set onevault.tenant.';

revoke execute on function
util.fn_bound_tenants(name, name), util.fn_choose_tenant(name, name, text), util.fn_may_see_all_tenants(name, name),
util.fn_current_tenant(), util.fn_sees_all_tenants()
from public;

-- Rows that name their tenant.
alter table auth.tenant_h enable row level security, force row level security;
create policy owner_sees_all on auth.tenant_h to onevault_owner using (true);
create policy tenant_sees_own on auth.tenant_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table auth.tenant_s enable row level security, force row level security;
create policy owner_sees_all on auth.tenant_s to onevault_owner using (true);
create policy tenant_sees_own on auth.tenant_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table gateway.customer_h enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table gateway.api_request_s enable row level security, force row level security;
create policy owner_sees_all on gateway.api_request_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.api_request_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table ops.usage_hourly enable row level security, force row level security;
create policy owner_sees_all on ops.usage_hourly to onevault_owner using (true);
create policy tenant_sees_own on ops.usage_hourly for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table ops.reservation enable row level security, force row level security;
create policy owner_sees_all on ops.reservation to onevault_owner using (true);
create policy tenant_sees_own on ops.reservation for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table ops.principal enable row level security, force row level security;
create policy owner_sees_all on ops.principal to onevault_owner using (true);
create policy tenant_sees_own on ops.principal for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

-- Rows that name their customer: the customer's own policy decides.
alter table gateway.customer_config_s enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_config_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_config_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = customer_config_s.customer_hk
));

alter table gateway.token_h enable row level security, force row level security;
create policy owner_sees_all on gateway.token_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.token_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = token_h.customer_hk
));

alter table gateway.customer_provider_keys_h enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_provider_keys_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_provider_keys_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = customer_provider_keys_h.customer_hk
));

alter table gateway.api_request_h enable row level security, force row level security;
create policy owner_sees_all on gateway.api_request_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.api_request_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = api_request_h.customer_hk
));

alter table gateway.api_request_attempt_s enable row level security, force row level security;
create policy owner_sees_all on gateway.api_request_attempt_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.api_request_attempt_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = api_request_attempt_s.customer_hk
));

alter table gateway.customer_spending_h enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_spending_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_spending_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = customer_spending_h.customer_hk
));

alter table ops.scope_state enable row level security, force row level security;
create policy owner_sees_all on ops.scope_state to onevault_owner using (true);
create policy tenant_sees_own on ops.scope_state for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = scope_state.customer_hk
));

alter table ops.dead_message enable row level security, force row level security;
create policy owner_sees_all on ops.dead_message to onevault_owner, onevault_dba using (true);
create policy tenant_sees_own on ops.dead_message for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = dead_message.customer_hk
));

-- Satellites that name neither: the hub's policy decides.
alter table gateway.token_s enable row level security, force row level security;
create policy owner_sees_all on gateway.token_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.token_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.token_h as h
    where h.token_hk = token_s.token_hk
));

alter table gateway.customer_provider_keys_s enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_provider_keys_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_provider_keys_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_provider_keys_h as h
    where h.customer_provider_key_hk = customer_provider_keys_s.customer_provider_key_hk
));

alter table gateway.customer_spending_s enable row level security, force row level security;
create policy owner_sees_all on gateway.customer_spending_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.customer_spending_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_spending_h as h
    where h.spending_hk = customer_spending_s.spending_hk
));

-- Which role is bound to whom is nobody's to read.
alter table auth.tenant_role enable row level security, force row level security;
create policy owner_sees_all on auth.tenant_role to onevault_owner using (true);

-- The reader names what his views read, and makes them.
grant usage on schema util, auth, gateway, ops to onevault_reader;
grant usage, create on schema business_vault to onevault_reader;
