create view admin.usage_export_delivery as
select
    encode(l.api_request_hk, 'hex')::uuid::text || ':' || h.usage_export_bk as event_id,
    h.usage_export_bk::text as export,
    c.customer_bk::text as customer,
    encode(coalesce(l.refers_to_hk, l.api_request_hk), 'hex')::uuid as request_id,
    encode(l.refers_to_hk, 'hex')::uuid::text || ':' || h.usage_export_bk as corrects,
    trim_scale(l.event_value) as value,
    l.load_date as created_at,
    coalesce(nullif(d.delivery_state, 'RETRY'), 'WAITING')::text as delivery_state,
    coalesce(d.try_number, 0) as attempts,
    d.http_status::integer as last_http_status,
    d.error_class::text as last_error_class,
    d.latency_ms as last_latency_ms,
    d.load_date as last_tried_at,
    d.next_try_at,
    case when d.delivery_state = 'DELIVERED' then d.load_date end as delivered_at,
    e.finding,
    e.remedy
from gateway.usage_event_l as l
inner join gateway.usage_export_h as h on l.usage_export_hk = h.usage_export_hk
inner join gateway.customer_h as c on l.customer_hk = c.customer_hk
left join lateral (
    select s.delivery_state, s.try_number, s.http_status, s.error_class, s.latency_ms, s.load_date, s.next_try_at
    from gateway.usage_event_delivery_s as s
    where
        s.api_request_hk = l.api_request_hk and s.usage_export_hk = l.usage_export_hk and s.customer_hk = l.customer_hk
    order by s.try_number desc
    limit 1
) as d on true
left join lateral admin.fn_explain_usage_export(d.error_class) as e on true;

comment on view admin.usage_export_delivery is
'The outbox: events of exports, and how the last try to hand each over went. Read only: the gateway writes it.';
comment on column admin.usage_export_delivery.event_id is
'What the target knows it by, the same at each try: the id of the request or the adjustment, a colon and the export.';
comment on column admin.usage_export_delivery.export is 'Export.';
comment on column admin.usage_export_delivery.customer is 'Customer whose usage it is.';
comment on column admin.usage_export_delivery.request_id is 'Request that was charged.';
comment on column admin.usage_export_delivery.corrects is
'Event whose charge this corrects, by value, which may be negative; NULL for the charge itself.';
comment on column admin.usage_export_delivery.value is 'Tokens, USD or requests, as the export counts.';
comment on column admin.usage_export_delivery.created_at is 'When the request was charged, or its charge corrected.';
comment on column admin.usage_export_delivery.delivery_state is
'WAITING, DELIVERED, or FAILED: parked until admin.resend_usage_events().';
comment on column admin.usage_export_delivery.attempts is 'How often it was tried or sent again by hand.';
comment on column admin.usage_export_delivery.last_http_status is
'What the target answered last; NULL when it did not.';
comment on column admin.usage_export_delivery.last_error_class is
'Class of the last failure; duplicate when the target had it already; NULL for none.';
comment on column admin.usage_export_delivery.last_latency_ms is 'How long the last try took, in milliseconds.';
comment on column admin.usage_export_delivery.last_tried_at is 'When the last try ended.';
comment on column admin.usage_export_delivery.next_try_at is 'When it is tried again; NULL unless it failed and waits.';
comment on column admin.usage_export_delivery.delivered_at is 'When the target took it; NULL unless it did.';
comment on column admin.usage_export_delivery.finding is 'What the last failure means.';
comment on column admin.usage_export_delivery.remedy is 'What to do about it.';
