-- What a range of requests adds up to by hour. The key range prunes partitions; the booking range is found by BRIN.
-- What was booked very late counts once it is noted (ops.fn_note_late_requests).
create or replace function ops.fn_count_usage(
    p_from_key bytea, p_before_key bytea, p_booked_from timestamptz, p_booked_before timestamptz
) returns setof ops.usage_hourly
language sql stable
begin atomic
    select
        s.customer_hk,
        date_trunc('hour', s.request_timestamp, 'UTC') as usage_hour,
        (s.request_timestamp at time zone coalesce(n.time_zone, 'UTC'))::date as usage_day,
        s.tenant_hk,
        s.token_hk,
        s.offer_hk,
        s.request_type::text,
        s.response_status::text,
        count(*),
        coalesce(sum(s.input_uncached_tokens), 0)::bigint,
        coalesce(sum(s.cache_read_tokens), 0)::bigint,
        coalesce(sum(s.cache_write_tokens), 0)::bigint,
        coalesce(sum(s.output_tokens), 0)::bigint,
        coalesce(sum(s.reasoning_tokens), 0)::bigint,
        sum(s.provider_cost),
        sum(s.gateway_markup),
        sum(s.customer_cost),
        sum(s.house_loss),
        count(s.request_latency_ms),
        coalesce(sum(s.request_latency_ms), 0),
        count(s.first_byte_ms),
        coalesce(sum(s.first_byte_ms), 0),
        sum(s.own_key_cost),
        coalesce(sum(s.other_tokens), 0)::bigint
    from gateway.api_request_s as s
    left join auth.tenant_s as n on s.tenant_hk = n.tenant_hk and n.load_end_date is null
    where
        s.api_request_hk >= p_from_key and s.api_request_hk < p_before_key
        and s.load_date >= p_booked_from and s.load_date < p_booked_before
        and (
            s.request_timestamp >= s.load_date - interval '35 days'
            or exists (
                select from gateway.late_request_s as l
                where l.api_request_hk = s.api_request_hk and l.customer_hk = s.customer_hk
            )
        )
    group by 1, 2, 3, 4, 5, 6, 7, 8;
end;

comment on function ops.fn_count_usage(bytea, bytea, timestamptz, timestamptz) is
'Usage by hour of the requests within a range of keys that were booked within a range of time.';
