-- Usage handed over to Stripe meters, Lago or OpenMeter: which exports there are, who is known there by which id, and
-- the outbox. An event is a row that commits with the charge it tells of; each try to deliver it is another.
set local role onevault_owner;

create table gateway.usage_export_h (
    usage_export_hk bytea primary key,
    usage_export_bk varchar(50) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    constraint export_name_is_a_word check (usage_export_bk ~ '^[a-z0-9][a-z0-9_-]*$')
);

create table gateway.usage_export_s (
    usage_export_hk bytea not null references gateway.usage_export_h (usage_export_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    export_kind varchar(20) not null,
    endpoint varchar(500) not null,
    event_name varchar(100) not null,
    event_value varchar(20) not null,
    tenant_hk bytea references auth.tenant_h (tenant_hk),
    is_active boolean not null default true,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (usage_export_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint export_kind_is_known check (export_kind in ('STRIPE', 'LAGO', 'OPENMETER')),
    constraint event_value_is_known check (event_value in ('TOKENS', 'CHARGE_USD', 'REQUESTS')),
    constraint event_name_is_a_word check (event_name ~ '^[!-~]+$'),
    constraint endpoint_is_https_or_here check (
        endpoint ~ '^https://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$'
        or endpoint ~ '^http://(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$'
    )
);
create unique index usage_export_s_has_one_current_row on gateway.usage_export_s (usage_export_hk)
where load_end_date is null;

create table gateway.usage_export_key_s (
    usage_export_hk bytea not null references gateway.usage_export_h (usage_export_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    key_fingerprint bytea not null,
    key_encrypted bytea not null,
    encryption_key_id varchar(100) not null,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (usage_export_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date)
);
create unique index usage_export_key_s_has_one_current_row on gateway.usage_export_key_s (usage_export_hk)
where load_end_date is null;

create table gateway.usage_export_customer_l (
    usage_export_customer_hk bytea primary key,
    usage_export_hk bytea not null references gateway.usage_export_h (usage_export_hk),
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    tenant_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    unique (customer_hk, usage_export_hk)
);

create table gateway.usage_export_customer_s (
    usage_export_customer_hk bytea not null references gateway.usage_export_customer_l (usage_export_customer_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    external_id varchar(255) not null,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (usage_export_customer_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint external_id_is_printable check (external_id ~ '^[^[:cntrl:]]+$' and external_id !~ '^\s|\s$')
);
create unique index usage_export_customer_s_has_one_current_row
on gateway.usage_export_customer_s (usage_export_customer_hk) where load_end_date is null;

create table gateway.usage_event_l (
    api_request_hk bytea not null,
    usage_export_hk bytea not null,
    customer_hk bytea not null,
    tenant_hk bytea not null,
    event_value numeric(30, 10) not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    primary key (api_request_hk, usage_export_hk, customer_hk),
    constraint event_tells_of_something check (event_value > 0)
) partition by range (api_request_hk);
create table gateway.usage_event_l_default partition of gateway.usage_event_l default;
create index usage_event_l_by_time on gateway.usage_event_l using brin (load_date)
with (pages_per_range = 16, autosummarize = on);

create table gateway.usage_event_delivery_s (
    api_request_hk bytea not null,
    usage_export_hk bytea not null,
    customer_hk bytea not null,
    try_number integer not null,
    load_date timestamptz not null default util.current_load_date(),
    hash_diff bytea not null,
    delivery_state varchar(20) not null,
    http_status smallint,
    error_class varchar(40),
    latency_ms integer,
    next_try_at timestamptz,
    record_source varchar(100) not null,
    primary key (api_request_hk, usage_export_hk, customer_hk, try_number),
    constraint delivery_state_is_known check (delivery_state in ('DELIVERED', 'RETRY', 'FAILED')),
    constraint only_retries_have_a_next_try check ((delivery_state = 'RETRY') = (next_try_at is not null)),
    constraint whatever_is_not_delivered_has_a_class check (
        delivery_state = 'DELIVERED' or (error_class is not null and error_class <> 'duplicate')
    ),
    constraint delivered_means_2xx_or_there_already check (
        delivery_state <> 'DELIVERED' or error_class = 'duplicate'
        or (error_class is null and coalesce(http_status between 200 and 299, false))
    )
) partition by range (api_request_hk);
create table gateway.usage_event_delivery_s_default partition of gateway.usage_event_delivery_s default;
create index usage_event_delivery_s_failed on gateway.usage_event_delivery_s (usage_export_hk, load_date)
where delivery_state = 'FAILED';

-- A lane is sent from one after the other: that of an export, that of a customer where the target asks for it, or that
-- of one event whose batch was refused.
select pgmq.create('usage_event');
-- squawk-ignore require-concurrent-index-deletion
drop index pgmq.q_usage_event_vt_idx;
-- squawk-ignore require-concurrent-index-creation
create index q_usage_event_by_lane on pgmq.q_usage_event ((message ->> 'lane'), vt);
-- squawk-ignore require-concurrent-index-creation
create index q_usage_event_under_way on pgmq.q_usage_event ((message ->> 'export'), vt) where last_read_at is not null;
alter table pgmq.q_usage_event set (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
revoke all on all tables in schema pgmq from pg_monitor;
revoke all on all sequences in schema pgmq from pg_monitor;

alter table gateway.usage_export_s enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_export_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_export_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table gateway.usage_export_key_s enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_export_key_s to onevault_owner using (true);

alter table gateway.usage_export_customer_l enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_export_customer_l to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_export_customer_l for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table gateway.usage_export_customer_s enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_export_customer_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_export_customer_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.usage_export_customer_l as l
    where l.usage_export_customer_hk = usage_export_customer_s.usage_export_customer_hk
));

alter table gateway.usage_event_l enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_event_l to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_event_l for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

alter table gateway.usage_event_delivery_s enable row level security, force row level security;
create policy owner_sees_all on gateway.usage_event_delivery_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.usage_event_delivery_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = usage_event_delivery_s.customer_hk
));

comment on table gateway.usage_export_h is 'Hub: an export, which hands usage over to a system that bills.';
comment on table gateway.usage_export_s is 'Where an export goes, what its events are called there, what they count.';
comment on column gateway.usage_export_s.event_value is 'What an event counts: TOKENS, CHARGE_USD or REQUESTS.';
comment on table gateway.usage_export_key_s is 'The key that an export shows its target, sealed.';
comment on table gateway.usage_export_customer_l is 'Link: a customer and an export that concerns him.';
comment on table gateway.usage_export_customer_s is 'The id by which a customer is known at an export''s target.';
comment on table gateway.usage_event_l is
'Link: a settled request and an export: the outbox. Written in the transaction that charges the request.';
comment on column gateway.usage_event_l.event_value is 'Tokens, USD or requests, as the export counts.';
comment on table gateway.usage_event_delivery_s is
'Every try to hand an event over, or to give it back to be tried: how it ended, never what was answered.';
