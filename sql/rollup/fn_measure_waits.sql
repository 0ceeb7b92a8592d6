-- What hedges are timed by, so measured only while a rule asks for them. A call that another one outran was at least
-- so slow: left out, what is slow would look rarer with every hedge. Of the last quarter of an hour the latest calls.
create or replace function ops.fn_measure_waits(p_until timestamptz default clock_timestamp()) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_measured integer;
begin
    if not exists (select from ops.rule as r where r.is_hedged) then
        return 0;
    end if;
    insert into ops.offer_wait as w (offer_hk, is_streamed, p95_ms, measured_at)
    select
        c.offer_hk, c.is_streamed, ceil(percentile_cont(0.95) within group (order by c.wait_ms))::integer, p_until
    from (
        select
            a.offer_hk, r.is_streamed,
            case when r.is_streamed then coalesce(a.first_byte_ms, a.latency_ms) else a.latency_ms end as wait_ms
        from (
            select t.* from gateway.api_request_attempt_s as t
            where t.api_request_hk >= util.fn_request_key_at(p_until - interval '15 minutes')
            order by t.api_request_hk desc
            limit 20000
        ) as a
        inner join gateway.api_request_s as r on a.api_request_hk = r.api_request_hk and a.customer_hk = r.customer_hk
        where
            r.api_request_hk >= util.fn_request_key_at(p_until - interval '15 minutes')
            and (a.outcome = 'SUCCESS' or a.error_class = 'outrun') and a.latency_ms is not null
    ) as c
    group by c.offer_hk, c.is_streamed
    having count(*) >= 20
    order by c.offer_hk, c.is_streamed
    on conflict (offer_hk, is_streamed) do update set p95_ms = excluded.p95_ms, measured_at = excluded.measured_at;
    get diagnostics v_measured = row_count;
    delete from ops.offer_wait as w where w.measured_at < p_until - interval '1 hour';
    return v_measured;
end
$$;

comment on function ops.fn_measure_waits(timestamptz) is
'Measures how long 95 of 100 calls wait at most, by offer; returns how many were measured. Nothing without a rule that
hedges.';
