-- Seven rooms. PUBLIC is closed first, for everything the owner will ever make.
set local role onevault_owner;

create schema util;
create schema auth;
create schema gateway;
create schema ops;
create schema business_vault;
create schema admin;

alter default privileges for role onevault_owner revoke execute on functions from public;
alter default privileges for role onevault_owner revoke usage on types from public;

comment on schema util is 'The one clock, the one hash, the one hash diff, the hub and satellite loaders.';
comment on schema auth is 'Tenants: the organisations whose customers call the gateway.';
comment on schema gateway is 'The raw vault and the doors of the services (sp_ functions).';
comment on schema ops is 'Hot state, derived and rebuildable from the vault; never the only copy of a fact.';
comment on schema business_vault is 'What BI reads: plain views, units in the names, rows filtered by tenant.';
comment on schema admin is 'What DBAs edit: updatable views with kept history.';
