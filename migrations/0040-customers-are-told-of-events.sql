-- Events that customers are told of at their webhook_url: each event is a fact, each try to deliver it another. Neither
-- names what was sent; that lies in the queue until it is delivered or given up.
set local role onevault_owner;

create table gateway.webhook_event_h (
    webhook_event_hk bytea not null,
    webhook_event_bk varchar(255) not null,
    customer_hk bytea not null,
    event_type varchar(100) not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    primary key (webhook_event_hk, customer_hk),
    constraint event_type_is_words_with_full_stops check (event_type ~ '^[a-z_]+(\.[a-z_]+)+$')
) partition by range (webhook_event_hk);

create table gateway.webhook_event_h_default partition of gateway.webhook_event_h default;

create index webhook_event_h_by_customer on gateway.webhook_event_h (customer_hk, webhook_event_hk);

create table gateway.webhook_delivery_s (
    webhook_event_hk bytea not null,
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
    primary key (webhook_event_hk, customer_hk, try_number),
    constraint delivery_state_is_known check (delivery_state in ('DELIVERED', 'RETRY', 'FAILED')),
    constraint only_retries_have_a_next_try check ((delivery_state = 'RETRY') = (next_try_at is not null)),
    constraint whatever_is_not_delivered_has_a_class check ((delivery_state = 'DELIVERED') = (error_class is null)),
    constraint delivered_means_2xx check (
        delivery_state <> 'DELIVERED' or coalesce(http_status between 200 and 299, false)
    )
) partition by range (webhook_event_hk);

create table gateway.webhook_delivery_s_default partition of gateway.webhook_delivery_s default;

create index webhook_delivery_s_failed on gateway.webhook_delivery_s (load_date) where delivery_state = 'FAILED';

-- A secret is a thing of its own, so that two can sign while one takes the other's place.
create table gateway.webhook_secret_h (
    webhook_secret_hk bytea primary key,
    webhook_secret_bk varchar(300) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create index webhook_secret_h_by_customer on gateway.webhook_secret_h (customer_hk);

create table gateway.webhook_secret_s (
    webhook_secret_hk bytea not null references gateway.webhook_secret_h (webhook_secret_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    key_fingerprint bytea not null,
    secret_encrypted bytea not null,
    encryption_key_id varchar(100) not null,
    valid_to timestamptz not null default 'infinity',
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (webhook_secret_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date)
);

create unique index webhook_secret_s_has_one_current_row on gateway.webhook_secret_s (webhook_secret_hk)
where load_end_date is null;

-- What customers were told is open, so that each opening and closing is told once. Only the clock writes it.
create table ops.told_circuit (
    offer_hk bytea primary key,
    opened_at timestamptz not null,
    error_class text not null
);

select pgmq.create('webhook');
-- squawk-ignore require-concurrent-index-deletion
drop index pgmq.q_webhook_vt_idx;
-- squawk-ignore require-concurrent-index-creation
create index q_webhook_by_customer on pgmq.q_webhook ((message ->> 'customer'), vt);
alter table pgmq.q_webhook set (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0
);
revoke all on all tables in schema pgmq from pg_monitor;
revoke all on all sequences in schema pgmq from pg_monitor;

alter table gateway.webhook_event_h enable row level security, force row level security;
create policy owner_sees_all on gateway.webhook_event_h to onevault_owner using (true);
create policy tenant_sees_own on gateway.webhook_event_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = webhook_event_h.customer_hk
));

alter table gateway.webhook_delivery_s enable row level security, force row level security;
create policy owner_sees_all on gateway.webhook_delivery_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.webhook_delivery_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = webhook_delivery_s.customer_hk
));

alter table gateway.webhook_secret_h enable row level security, force row level security;
create policy owner_sees_all on gateway.webhook_secret_h to onevault_owner using (true);

comment on table gateway.webhook_event_h is 'Hub: an event that a customer is to be told of at its webhook_url.';
comment on table gateway.webhook_delivery_s is
'Every try to deliver an event: how it ended, never what was sent or answered. Tries of lost workers leave a gap.';
comment on table gateway.webhook_secret_h is 'Hub: a secret that signs what is sent to a customer''s webhook_url.';
comment on table gateway.webhook_secret_s is
'Secrets of webhooks, sealed; one that was replaced signs beside its successor until valid_to.';
comment on table ops.told_circuit is 'Offers whose opened circuit customers were told of, and not yet of its closing.';
