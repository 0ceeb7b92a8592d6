create or replace function gateway.fn_plan_try(p_try_number integer, p_retry_after_ms bigint) returns timestamptz
language sql volatile
return clock_timestamp() + greatest(
    gateway.fn_delay_webhook(p_try_number),
    make_interval(secs => least(coalesce(p_retry_after_ms, 0), 21600000) / 1000.0)
);

comment on function gateway.fn_plan_try(integer, bigint) is
'When to try again what failed for the n-th time: after its delay, and not before the other side asks, within 6 hours.';
