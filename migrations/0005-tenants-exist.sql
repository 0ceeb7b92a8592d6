set local role onevault_owner;

create table auth.tenant_h (
    tenant_hk bytea primary key,
    tenant_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    constraint tenant_bk_is_not_blank check (btrim(tenant_bk) <> '')
);

create table auth.tenant_s (
    tenant_hk bytea not null references auth.tenant_h (tenant_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    tenant_name varchar(200) not null,
    time_zone text not null default 'UTC',
    markup_percent numeric(9, 4) not null default 20,
    address_policy varchar(20) not null default 'SHORTENED',
    is_active boolean not null default true,
    record_source varchar(100) not null,
    primary key (tenant_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint markup_percent_is_not_below_minus_100 check (markup_percent >= -100),
    constraint address_policy_is_known check (address_policy in ('FULL', 'SHORTENED', 'NONE'))
);

create unique index tenant_s_has_one_current_row on auth.tenant_s (tenant_hk)
where load_end_date is null;

comment on table auth.tenant_h is 'Hub: an organisation whose customers call the gateway.';
comment on column auth.tenant_s.time_zone is 'IANA name; days and months of budgets begin at its midnight.';
comment on column auth.tenant_s.markup_percent is
'Added to provider cost unless the customer has a markup of its own.';
comment on column auth.tenant_s.address_policy is
'How client address and agent are kept: FULL, SHORTENED or NONE.';
