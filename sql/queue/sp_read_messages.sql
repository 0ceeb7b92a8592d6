-- Premium first, yet each lower tier keeps a share of every read, so that none starves. A message read five times
-- without a result goes to the dead table, and is given out once more as dead, so that whoever waits is told. Durable:
-- what a worker holds may be at a provider the next moment.
create or replace function gateway.sp_read_messages(p_limit integer, p_visible_again_seconds integer)
returns table (queue text, msg_id bigint, read_ct integer, message text)
language plpgsql
security definer
set search_path = ''
set enable_seqscan = off
as $$
declare
    v_left integer := greatest(p_limit, 1);
    v_kept_for_basic integer := case when p_limit > 2 then greatest(p_limit / 10, 1) else 0 end;
    v_kept_for_standard integer := case when p_limit > 2 then greatest(p_limit / 4, 1) else 0 end;
    v_visible_again timestamptz := clock_timestamp() + make_interval(secs => p_visible_again_seconds);
    -- One or two at a time cannot be shared out: a full worker asks for no more, and would starve the lower tiers.
    v_first text := case
        when p_limit > 2 then '' when random() < 0.1 then 'basic' when random() < 0.25 then 'standard' else ''
    end;
    v_tier record;
    v_message record;
    v_handed_out jsonb[] := '{}';
    v_durable text;
begin
    for v_tier in
        select t.name, t.kept from (
            values
                (1, 'premium', v_kept_for_standard + v_kept_for_basic, (select min(q.msg_id) from pgmq.q_premium as q)),
                (2, 'standard', v_kept_for_basic, (select min(q.msg_id) from pgmq.q_standard as q)),
                (3, 'basic', 0, (select min(q.msg_id) from pgmq.q_basic as q))
        ) as t (place, name, kept, first_msg_id)
        -- To look is cheaper than to take nothing.
        where t.first_msg_id is not null
        order by t.name = v_first desc, t.place
    loop
        continue when v_left - v_tier.kept <= 0;
        for v_message in
            select r.msg_id, r.read_ct, r.enqueued_at, r.message
            from gateway.fn_take_messages(v_tier.name, v_left - v_tier.kept, v_visible_again) as r
        loop
            if v_message.read_ct > 5 then
                perform gateway.fn_bury_message(
                    v_tier.name, v_message.msg_id, v_message.read_ct, v_message.enqueued_at, v_message.message
                );
                v_message.message := v_message.message || '{"dead": true}';
            else
                v_handed_out := v_handed_out || v_message.message;
            end if;
            v_left := v_left - 1;
            queue := v_tier.name;
            msg_id := v_message.msg_id;
            read_ct := v_message.read_ct;
            message := v_message.message::text;
            return next;
        end loop;
    end loop;
    if v_handed_out <> '{}' then
        v_durable := set_config('synchronous_commit', 'on', true);
        perform gateway.fn_note_dispatch(v_handed_out, 1::smallint);
    end if;
end
$$;

comment on function gateway.sp_read_messages(integer, integer) is
'Up to p_limit decisions to carry out, invisible to other workers for some seconds; buries what was read too
often and gives it out as {"dead": true}, to be told and not carried out.';
