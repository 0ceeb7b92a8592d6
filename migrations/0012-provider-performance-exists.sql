set local role onevault_owner;

create table gateway.provider_performance_h (
    performance_hk bytea primary key,
    performance_bk varchar(255) not null unique,
    provider_hk bytea not null references gateway.ai_provider_h (provider_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create index provider_performance_h_by_provider on gateway.provider_performance_h (provider_hk);

create table gateway.provider_performance_s (
    performance_hk bytea not null references gateway.provider_performance_h (performance_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    measurement_timestamp timestamptz not null,
    measurement_window_minutes integer not null default 5,
    total_requests bigint,
    successful_requests bigint,
    failed_requests bigint,
    average_latency_ms integer,
    p95_latency_ms integer,
    p99_latency_ms integer,
    error_rate_percent numeric(5, 2),
    availability_percent numeric(5, 2),
    tokens_processed bigint,
    average_cost_per_token numeric(20, 10),
    quality_score numeric(5, 2),
    unavailable_requests bigint,
    average_first_byte_ms integer,
    p95_first_byte_ms integer,
    record_source varchar(100) not null,
    primary key (performance_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint measurement_window_is_positive check (measurement_window_minutes > 0)
);

create unique index provider_performance_s_has_one_current_row
on gateway.provider_performance_s (performance_hk)
where load_end_date is null;

create index provider_performance_s_by_time on gateway.provider_performance_s (measurement_timestamp)
where load_end_date is null;

comment on table gateway.provider_performance_h is
'Hub: a measurement window of a provider, business key provider|window start.';
comment on table gateway.provider_performance_s is
'How a provider did in a window of some minutes, counted over attempts.';
comment on column gateway.provider_performance_s.failed_requests is
'Attempts that failed for the provider''s reasons; what the customer or we broke off counts as no failure.';
comment on column gateway.provider_performance_s.unavailable_requests is
'Failed attempts in which the provider was not there: overloaded, down, unreachable, too late, broken off.';
