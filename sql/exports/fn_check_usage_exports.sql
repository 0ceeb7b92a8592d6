-- Waiting is counted up to 10,001: an export that was down for long has millions.
create or replace function admin.fn_check_usage_exports()
returns table (check_name text, is_ok boolean, finding text, remedy text)
language sql stable
set search_path = ''
begin atomic
    with waiting as (
        select count(*) as events, min(w.enqueued_at) as oldest
        from (select q.enqueued_at from pgmq.q_usage_event as q order by q.msg_id limit 10001) as w
    ),

    parked as (
        select count(*) as events
        from gateway.usage_event_delivery_s as d
        where d.delivery_state = 'FAILED' and d.error_class <> 'no_export' and not exists (
            select from gateway.usage_event_delivery_s as l
            where
                l.api_request_hk = d.api_request_hk and l.usage_export_hk = d.usage_export_hk
                and l.customer_hk = d.customer_hk and l.try_number > d.try_number
        )
    ),

    export as (
        select count(*) as exports, count(*) filter (where k.usage_export_hk is null) as keyless
        from gateway.usage_export_s as s
        left join gateway.usage_export_key_s as k
            on s.usage_export_hk = k.usage_export_hk and k.load_end_date is null
        where s.load_end_date is null and s.is_active
    )

    select
        'usage exports',
        p.events = 0 and e.keyless = 0 and coalesce(w.oldest > now() - interval '1 hour' or e.exports = 0, true),
        format(
            '%s active; %s events wait, the oldest for %s minutes; %s are parked; %s exports have no key', e.exports,
            case when w.events > 10000 then 'more than 10000' else w.events::text end,
            coalesce(round(extract(epoch from now() - w.oldest) / 60), 0), p.events, e.keyless
        ),
        'See admin.usage_export_delivery; then admin.resend_usage_events(export), or onevault export key set EXPORT'
    from waiting as w
    cross join parked as p
    cross join export as e;
end;

comment on function admin.fn_check_usage_exports() is
'For "onevault doctor": events of exports that wait for long or are parked, and exports without a key.';
