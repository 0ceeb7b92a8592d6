-- Clocked work: the jobs, how far each rollup got, and usage by hour with its day in the tenant's time zone.
set local role onevault_owner;

create table ops.job (
    job_name text primary key,
    every interval not null,
    last_started_at timestamptz,
    last_finished_at timestamptz,
    last_error text,
    is_active boolean not null default true,
    constraint every_is_positive check (every > interval '0')
);

create table ops.usage_hourly (
    customer_hk bytea not null,
    usage_hour timestamptz not null,
    usage_day date not null,
    tenant_hk bytea not null,
    token_hk bytea not null,
    offer_hk bytea not null,
    request_type text not null,
    response_status text not null,
    request_count bigint not null,
    input_uncached_tokens bigint not null,
    cache_read_tokens bigint not null,
    cache_write_tokens bigint not null,
    output_tokens bigint not null,
    reasoning_tokens bigint not null,
    provider_cost_usd numeric not null,
    markup_usd numeric not null,
    customer_cost_usd numeric not null,
    house_loss_usd numeric not null,
    latency_count bigint not null,
    latency_ms_sum bigint not null,
    first_byte_count bigint not null,
    first_byte_ms_sum bigint not null,
    primary key (customer_hk, usage_hour, usage_day, token_hk, offer_hk, request_type, response_status)
) with (fillfactor = 80);

create index usage_hourly_by_time on ops.usage_hourly using brin (usage_hour, usage_day)
with (pages_per_range = 16, autosummarize = on);

create table ops.watermark (
    rollup_name text primary key,
    rolled_up_to timestamptz not null,
    counted_to timestamptz,
    open_key bytea
);

comment on table ops.job is
'The clocked work: what, how often, last run. Workers tick it, an advisory lock lets one run.';
comment on table ops.usage_hourly is
'Usage by hour (UTC), rolled up from gateway.api_request_s up to ops.watermark.counted_to.';
comment on column ops.usage_hourly.usage_day is
'Day of the requests in their tenant''s time zone; where its midnight falls within the hour, the hour has two rows.';
comment on column ops.usage_hourly.latency_count is 'Requests whose latency is known; latency_ms_sum adds theirs up.';
comment on column ops.usage_hourly.first_byte_count is
'Requests whose first byte was timed; first_byte_ms_sum adds theirs up.';
comment on table ops.watermark is 'How far each rollup got.';
comment on column ops.watermark.rolled_up_to is
'All that was booked before is in the rollup. Set it back, and what was booked since is counted again.';
comment on column ops.watermark.counted_to is
'Usage only: facts booked before are in ops.usage_hourly, later ones are counted when read. Not to be set by hand.';
comment on column ops.watermark.open_key is 'Usage only: no fact booked at or after counted_to has a lower key.';
