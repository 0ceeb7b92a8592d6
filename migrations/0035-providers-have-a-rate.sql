-- What providers allow a minute, and how much of it is used up. Derived as well.
set local role onevault_owner;

create table ops.provider_rate (
    provider_hk bytea primary key,
    step_us bigint not null,
    burst_us bigint not null,
    full_at_us bigint not null default 0,
    constraint there_is_room_for_one check (step_us > 0 and burst_us >= step_us)
) with (
    fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
);

comment on table ops.provider_rate is
'Rate bucket of each provider that has a limit: a tenth of it at once, the rest over the minute, so that no minute sees
more than the limit.';
comment on column ops.provider_rate.step_us is 'Microseconds in which one more call becomes possible.';
comment on column ops.provider_rate.burst_us is 'Calls possible at once, in the same microseconds.';
comment on column ops.provider_rate.full_at_us is
'GCRA: theoretical arrival time in microseconds since 1970, moved once for a batch of calls.';
