-- Batches of events that are due. No export has more than eight under way, so that a slow target holds up itself alone;
-- Stripe takes one call at a time of a customer, so his events go one after the other. Events of an export that is
-- switched off, or has no key yet, wait; those of one that was deleted are given up here. What was tried and then lay
-- for so long that the target may not know its id any more (no worker ran, the export was off) is parked here: nobody
-- knows whether it was taken, and again it would count twice. Lago knows ids for ever.
create or replace function gateway.sp_read_usage_events(p_limit integer, p_visible_again_seconds integer)
returns table (
    kind text, endpoint text, event_name text, event_value text, key_encrypted bytea, identity bytea, events jsonb
)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_most_batches constant integer := 8;
    v_known_for constant interval := '23 hours';
    v_now timestamptz := clock_timestamp();
    v_visible_again timestamptz := v_now + make_interval(secs => p_visible_again_seconds);
    v_left integer := p_limit;
    v_room integer;
    v_export record;
    v_busy record;
    v_lane text;
    v_messages jsonb;
    v_overdue jsonb;
begin
    perform gateway.fn_book_usage_events(jsonb_agg(
        jsonb_build_object('msg_id', g.msg_id, 'read_ct', g.read_ct, 'error_class', 'no_export')
    ))
    from gateway.usage_export_h as h
    cross join lateral (
        select q.msg_id, q.read_ct from pgmq.q_usage_event as q
        where
            q.message ->> 'lane' >= encode(h.usage_export_hk, 'hex')
            and q.message ->> 'lane' < encode(h.usage_export_hk, 'hex') || 'g' and q.vt <= v_now
        limit 1000
    ) as g
    where not exists (
        select from gateway.usage_export_s as s where s.usage_export_hk = h.usage_export_hk and s.load_end_date is null
    )
    having count(*) > 0;

    for v_export in
        select
            s.*, h.usage_export_bk::text as name, k.key_encrypted, encode(s.usage_export_hk, 'hex') as hex,
            case s.export_kind when 'STRIPE' then 20 when 'LAGO' then 100 else 500 end as most_events
        from gateway.usage_export_s as s
        inner join gateway.usage_export_h as h on s.usage_export_hk = h.usage_export_hk
        inner join gateway.usage_export_key_s as k on s.usage_export_hk = k.usage_export_hk and k.load_end_date is null
        where s.load_end_date is null and s.is_active
        order by gen_random_uuid()
    loop
        exit when v_left <= 0;
        -- Another worker reads from it at this moment: what it takes is not to be seen yet.
        continue when not pg_try_advisory_xact_lock(hashtextextended(v_export.hex, 5));
        select
            count(distinct q.last_read_at)::integer as batches,
            coalesce(array_agg(q.message ->> 'lane'), '{}') as lanes
        into v_busy
        from pgmq.q_usage_event as q
        where
            q.message ->> 'export' = v_export.hex and q.vt > v_now and q.vt <= v_visible_again
            and q.last_read_at is not null;
        v_room := least(v_left, v_most_batches - v_busy.batches);
        continue when v_room <= 0;
        for v_lane in
            select l.name
            from gateway.fn_list_due_lanes(v_export.hex, v_now) as l (name)
            where v_export.export_kind <> 'STRIPE' or l.name <> all(v_busy.lanes)
        loop
            while v_room > 0 loop
                with due as (
                    select
                        q.msg_id, least(
                            to_timestamp((q.message ->> 'begun')::bigint), q.last_read_at
                        ) < v_now - v_known_for and v_export.export_kind <> 'LAGO' as is_overdue
                    from pgmq.q_usage_event as q
                    where q.message ->> 'lane' = v_lane and q.vt <= v_now
                    order by q.vt
                    limit v_export.most_events
                    for update skip locked
                ),

                -- Each batch by its own moment: so many are under way.
                moment as materialized (select clock_timestamp() as at),

                taken as (
                    update pgmq.q_usage_event as q
                    set vt = v_visible_again, read_ct = q.read_ct + 1, last_read_at = m.at
                    from due as d
                    cross join moment as m
                    where q.msg_id = d.msg_id
                    returning q.msg_id, q.read_ct, q.message, coalesce(d.is_overdue, false) as is_overdue
                )

                select jsonb_agg(
                    t.message || jsonb_build_object('msg_id', t.msg_id, 'read_ct', t.read_ct) order by t.msg_id
                ) filter (where not t.is_overdue), jsonb_agg(
                    jsonb_build_object('msg_id', t.msg_id, 'read_ct', t.read_ct, 'error_class', 'overdue')
                ) filter (where t.is_overdue)
                into v_messages, v_overdue
                from taken as t;
                if v_overdue is not null then
                    perform gateway.fn_book_usage_events(v_overdue);
                end if;
                exit when v_messages is null and v_overdue is null;
                continue when v_messages is null;
                kind := v_export.export_kind;
                endpoint := v_export.endpoint;
                event_name := v_export.event_name;
                event_value := v_export.event_value;
                key_encrypted := v_export.key_encrypted;
                identity := v_export.usage_export_hk;
                events := gateway.fn_pack_usage_events(v_export.name, kind, event_value, v_messages);
                return next;
                v_room := v_room - 1;
                v_left := v_left - 1;
                exit when v_export.export_kind = 'STRIPE';
            end loop;
            exit when v_room <= 0;
        end loop;
    end loop;
end
$$;

comment on function gateway.sp_read_usage_events(integer, integer) is
'Up to p_limit batches of events that are due, with where they go and the sealed key (identity opens it); invisible to
other workers for some seconds.';
