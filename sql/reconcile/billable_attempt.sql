-- Every attempt that reached a provider, charged or not. It belongs to the day of its request. A customer's own keys
-- are not on the house's bill.
create view ops.billable_attempt as
select
    d.usage_day, a.api_request_hk, a.customer_hk, a.attempt_number, a.provider_hk, a.offer_hk, a.provider_key_hk,
    a.outcome, a.error_class, a.usage_source, a.input_uncached_tokens, a.cache_read_tokens, a.cache_write_tokens,
    a.output_tokens, a.other_usage, a.input_usd_per_million, a.cache_read_usd_per_million,
    a.cache_write_usd_per_million, a.output_usd_per_million, a.provider_cost,
    coalesce(a.usage_source, '') not in ('provider_final', 'reconciled') or a.outcome = 'UNKNOWN'
    or coalesce(a.error_class, '') in ('worker_lost', 'outrun') as is_uncertain
from ops.booked_day as d
inner join gateway.api_request_attempt_s as a
    on
        a.api_request_hk >= util.fn_request_key_at(d.usage_day::timestamp at time zone 'UTC')
        and a.api_request_hk < util.fn_request_key_at((d.usage_day + 1)::timestamp at time zone 'UTC')
where
    not a.is_own_key
    -- What a provider turned away it does not count.
    and (
        a.outcome <> 'ERROR' or a.usage_source is not null or a.output_bytes > 0 or a.provider_cost > 0
        or a.error_class in ('worker_lost', 'outrun', 'truncated_stream')
    );

comment on view ops.billable_attempt is
'Attempts that their provider may ask the house for, by the day (UTC) of their request; whether what they used is
certain.';
