create or replace function admin.fn_check_rate_limit(p_requests_per_minute integer) returns integer
language plpgsql
immutable
set search_path = ''
as $$
begin
    if p_requests_per_minute > 6000000 then
        perform admin.fn_refuse_change(
            400, 'rate_limit_is_at_most_six_million', 'A rate limit goes up to 6000000 requests a minute',
            'Use a smaller number, or NULL for no limit of its own.'
        );
    end if;
    return p_requests_per_minute;
end
$$;

comment on function admin.fn_check_rate_limit(integer) is
'A rate limit that the bucket can count: its step is whole microseconds.';
