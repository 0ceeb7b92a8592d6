-- What the rollups need: where each stopped, hours told by day in the tenant's time zone, and indexes by time that cost
-- an insert next to nothing.
set local role onevault_owner;

alter table ops.watermark
add column counted_to timestamptz,
add column open_key bytea;

comment on table ops.watermark is 'How far each rollup got.';
comment on column ops.watermark.rolled_up_to is
'All that was booked before is in the rollup. Set it back, and what was booked since is counted again.';
comment on column ops.watermark.counted_to is
'Usage only: facts booked before are in ops.usage_hourly, later ones are counted when read. Not to be set by hand.';
comment on column ops.watermark.open_key is 'Usage only: no fact booked at or after counted_to has a lower key.';

-- Derived, and filled by no release yet: made anew, with its days.
-- squawk-ignore ban-drop-table
drop table ops.usage_hourly;

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

comment on table ops.usage_hourly is
'Usage by hour (UTC), rolled up from gateway.api_request_s up to ops.watermark.counted_to.';
comment on column ops.usage_hourly.usage_day is
'Day of the requests in their tenant''s time zone; where its midnight falls within the hour, the hour has two rows.';
comment on column ops.usage_hourly.latency_count is 'Requests whose latency is known; latency_ms_sum adds theirs up.';
comment on column ops.usage_hourly.first_byte_count is
'Requests whose first byte was timed; first_byte_ms_sum adds theirs up.';

-- One BRIN for both times: when a request was booked (rollups) and when it came (reports).
-- squawk-ignore require-concurrent-index-deletion
drop index gateway.api_request_s_by_load_date;
-- squawk-ignore require-concurrent-index-creation
create index api_request_s_by_time on gateway.api_request_s using brin (load_date, request_timestamp)
with (pages_per_range = 16, autosummarize = on);
-- squawk-ignore require-concurrent-index-creation
create index api_request_attempt_s_by_time on gateway.api_request_attempt_s using brin (load_date)
with (pages_per_range = 16, autosummarize = on);

alter table gateway.provider_performance_s
add column unavailable_requests bigint,
add column average_first_byte_ms integer,
add column p95_first_byte_ms integer;

comment on column gateway.provider_performance_s.failed_requests is
'Attempts that failed for the provider''s reasons; what the customer or we broke off counts as no failure.';
comment on column gateway.provider_performance_s.unavailable_requests is
'Failed attempts in which the provider was not there: overloaded, down, unreachable, too late, broken off.';
