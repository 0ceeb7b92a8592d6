-- A database role may be bound to tenants: whoever acts as it, or as a member of it, sees those and no other.
set local role onevault_owner;

create table auth.tenant_role (
    role_name name not null,
    tenant_hk bytea not null references auth.tenant_h (tenant_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null default session_user,
    primary key (role_name, tenant_hk)
);

comment on table auth.tenant_role is
'Database roles that see one tenant''s rows only, whatever onevault.tenant says; a role with several rows may choose.';

-- squawk-ignore constraint-missing-not-valid
alter table auth.tenant_s add constraint time_zone_is_known check (
    timestamptz '2000-01-01 00:00:00+00' at time zone time_zone is not null
);
