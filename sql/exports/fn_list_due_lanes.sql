-- Lanes of an export with something due, found by leaps through the index however much waits in them, from anywhere on:
-- nobody is always the last.
create or replace function gateway.fn_list_due_lanes(p_export text, p_now timestamptz) returns setof text
language sql volatile
rows 10
set search_path = ''
begin atomic
    with recursive span as (
        select s.since, s.until
        from (select p_export || encode(uuid_send(gen_random_uuid()), 'hex') as middle) as m
        cross join lateral (values (m.middle, p_export || 'g'), (p_export, m.middle)) as s (since, until)
    ),

    lane as (
        select f.name, s.until
        from span as s
        cross join lateral (
            select q.message ->> 'lane' as name from pgmq.q_usage_event as q
            where q.message ->> 'lane' >= s.since and q.message ->> 'lane' < s.until and q.vt <= p_now
            order by q.message ->> 'lane'
            limit 1
        ) as f
        union all
        select n.name, l.until
        from lane as l
        cross join lateral (
            select q.message ->> 'lane' as name from pgmq.q_usage_event as q
            where q.message ->> 'lane' > l.name and q.message ->> 'lane' < l.until and q.vt <= p_now
            order by q.message ->> 'lane'
            limit 1
        ) as n
    )

    select l.name from lane as l;
end;

comment on function gateway.fn_list_due_lanes(text, timestamptz) is 'Lanes of an export (hex) in which events are due.';
