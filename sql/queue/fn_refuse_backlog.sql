-- Null when a call may join its tier's queue. A session looks at a queue at most twenty times a second, whatever
-- comes, and keeps what it saw in a setting of its own: no row that all calls share, nothing to keep up when idle.
create or replace function gateway.fn_refuse_backlog(p_queue text, p_now timestamptz) returns gateway.route_decision
language plpgsql
set search_path = ''
as $$
declare
    v_seen bigint[] := nullif(current_setting('onevault.backlog_' || p_queue, true), '')::bigint[];
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
begin
    if v_seen is null or v_now_us - v_seen[1] not between 0 and 50000 then
        v_seen := gateway.fn_measure_backlog(p_queue, p_now, v_seen);
        perform set_config('onevault.backlog_' || p_queue, v_seen::text, false);
    end if;
    if v_seen[5] = 0 then
        return null;
    end if;
    -- Spread, so that those who were refused together do not come back together.
    return gateway.fn_refuse(
        'overloaded', 503,
        format('Calls of tier %s would wait for %s seconds now, longer than is allowed. Try again later.', p_queue,
            ceil(v_seen[5] / 1000.0)::text),
        null, greatest(1000, least(30000, (v_seen[5] * (0.5 + random()))::bigint))
    );
end
$$;

comment on function gateway.fn_refuse_backlog(text, timestamptz) is
'The refusal (503, overloaded) of a call that would wait too long in its tier''s queue; see ops.admission.';
