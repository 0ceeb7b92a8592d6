-- 5 seconds, then three times as long each time, at most 6 hours: twelve tries within about 23 hours. A fifth more or
-- less, so that what failed together does not come back together.
create or replace function gateway.fn_delay_webhook(p_try_number integer) returns interval
language sql volatile
return make_interval(
    secs => least(5 * power(3, least(p_try_number, 20) - 1), 21600) * (0.8 + 0.4 * random())
);

comment on function gateway.fn_delay_webhook(integer) is 'How long an event waits after its n-th try failed.';
