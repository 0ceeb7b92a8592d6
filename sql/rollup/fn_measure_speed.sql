-- Peak-sensitive: what has become slower counts at once, what has become faster by and by. Of streams the time after
-- the first byte is the tokens'; a plain answer comes whole, so all of its time is. What is booked late is left out:
-- it is a measure, not an account.
create or replace function ops.fn_measure_speed(p_until timestamptz default clock_timestamp() - interval '1 second')
returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_from timestamptz;
    v_measured integer;
begin
    insert into ops.watermark (rollup_name, rolled_up_to) values ('speed', p_until - interval '1 minute')
    on conflict (rollup_name) do nothing;
    select greatest(w.rolled_up_to, p_until - interval '10 minutes') into v_from
    from ops.watermark as w where w.rollup_name = 'speed' for update;
    if v_from >= p_until then
        return 0;
    end if;
    insert into ops.offer_speed as s (offer_hk, first_byte_ms, ms_per_token, measured_at)
    select
        a.offer_hk, avg(a.first_byte_ms) filter (where r.is_streamed),
        avg((a.latency_ms - case when r.is_streamed then coalesce(a.first_byte_ms, 0) else 0 end)::float8 / a.output_tokens),
        p_until
    from gateway.api_request_attempt_s as a
    inner join gateway.api_request_s as r on a.api_request_hk = r.api_request_hk and a.customer_hk = r.customer_hk
    where
        a.api_request_hk >= util.fn_request_key_at(v_from - interval '1 hour')
        and r.api_request_hk >= util.fn_request_key_at(v_from - interval '1 hour')
        and a.load_date > v_from and a.load_date <= p_until and a.outcome = 'SUCCESS' and a.output_tokens > 0
        and a.latency_ms is not null
    group by a.offer_hk
    on conflict (offer_hk) do update set
        first_byte_ms = ops.fn_move_peak(s.first_byte_ms, excluded.first_byte_ms, excluded.measured_at - s.measured_at),
        ms_per_token = ops.fn_move_peak(s.ms_per_token, excluded.ms_per_token, excluded.measured_at - s.measured_at),
        measured_at = excluded.measured_at;
    get diagnostics v_measured = row_count;
    update ops.watermark as w set rolled_up_to = p_until where w.rollup_name = 'speed';
    return v_measured;
end
$$;

comment on function ops.fn_measure_speed(timestamptz) is
'Moves the speed of offers by what was booked since the last time; returns how many were measured.';
