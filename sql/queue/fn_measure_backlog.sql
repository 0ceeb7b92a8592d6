-- How long a call would wait: as long as the oldest that waits has waited, or, by the pace at which the queue moved
-- while somebody waited all the time, as long as those before it will take; the age alone tells too late that many
-- have come at once. Begins where the last look ended, so it passes each message once, dead or alive; counts none.
create or replace function gateway.fn_measure_backlog(p_queue text, p_now timestamptz, p_seen bigint[])
returns bigint[]
language plpgsql
set search_path = ''
as $$
declare
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
    v_from bigint := coalesce(p_seen[2], 0);
    v_anchor_us bigint := p_seen[3];
    v_anchor bigint := p_seen[4];
    v_first bigint;
    v_last bigint;
    v_vt timestamptz;
    v_since_us bigint;
    v_served bigint;
    v_window_us bigint;
    v_wait_ms bigint := 0;
    v_limit_ms bigint;
begin
    case p_queue
        when 'premium' then
            select s.last_value - (not s.is_called)::integer into v_last from pgmq.q_premium_msg_id_seq as s;
            select q.msg_id, q.vt into v_first, v_vt from pgmq.q_premium as q
            where q.msg_id >= v_from and q.vt <= p_now order by q.msg_id limit 1;
        when 'standard' then
            select s.last_value - (not s.is_called)::integer into v_last from pgmq.q_standard_msg_id_seq as s;
            select q.msg_id, q.vt into v_first, v_vt from pgmq.q_standard as q
            where q.msg_id >= v_from and q.vt <= p_now order by q.msg_id limit 1;
        else
            select s.last_value - (not s.is_called)::integer into v_last from pgmq.q_basic_msg_id_seq as s;
            select q.msg_id, q.vt into v_first, v_vt from pgmq.q_basic as q
            where q.msg_id >= v_from and q.vt <= p_now order by q.msg_id limit 1;
    end case;
    if v_first is null then
        return array[v_now_us, v_last + 1, v_now_us, v_last + 1, 0];
    end if;

    v_since_us := floor(extract(epoch from v_vt) * 1000000)::bigint;
    v_wait_ms := (v_now_us - v_since_us) / 1000;
    if v_anchor_us is null or v_since_us > v_anchor_us then
        -- Nobody waited for some time since: what was served then says nothing about the pace.
        v_anchor_us := v_now_us;
        v_anchor := v_first;
    else
        v_served := v_first - v_anchor;
        v_window_us := v_now_us - v_anchor_us;
        if v_served >= 4 and v_window_us >= 100000 or v_window_us >= 1000000 then
            -- One more than were served, so that a slow pace is not taken for none.
            v_wait_ms := greatest(v_wait_ms, (v_last - v_first + 1) * v_window_us / (v_served + 1) / 1000);
            if v_served >= 4 and v_window_us > 1000000 then
                -- The pace of the last second and no older one.
                v_anchor_us := v_now_us - 500000;
                v_anchor := v_first - v_served * 500000 / v_window_us;
            end if;
        end if;
    end if;
    select floor(extract(epoch from a.longest_wait) * 1000)::bigint into v_limit_ms
    from ops.admission as a where a.queue_name = p_queue;
    return array[
        v_now_us, v_first, v_anchor_us, v_anchor, case when v_wait_ms > v_limit_ms then v_wait_ms else 0 end
    ];
end
$$;

comment on function gateway.fn_measure_backlog(text, timestamptz, bigint[]) is
'A look at a tier''s queue: {when (µs), lowest id that may wait, begin of the pace (µs, id), wait in ms if too long}.';
