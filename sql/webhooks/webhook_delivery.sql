drop view if exists admin.webhook_delivery;
create view admin.webhook_delivery as
select
    h.webhook_event_bk::text as event_id,
    c.customer_bk::text as customer,
    h.event_type::text as event_type,
    h.load_date as created_at,
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
from gateway.webhook_event_h as h
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
left join lateral (
    select s.delivery_state, s.try_number, s.http_status, s.error_class, s.latency_ms, s.load_date, s.next_try_at
    from gateway.webhook_delivery_s as s
    where s.webhook_event_hk = h.webhook_event_hk and s.customer_hk = h.customer_hk
    order by s.try_number desc
    limit 1
) as d on true
left join lateral admin.fn_explain_webhook(d.error_class) as e on true;

comment on view admin.webhook_delivery is
'Events that customers were told of, and how the last try went. Read only: the gateway writes it.';
comment on column admin.webhook_delivery.event_id is 'What the endpoint sees as webhook-id, the same at each try.';
comment on column admin.webhook_delivery.customer is 'Customer who is told.';
comment on column admin.webhook_delivery.event_type is 'What happened, such as budget.threshold.';
comment on column admin.webhook_delivery.created_at is 'When it happened.';
comment on column admin.webhook_delivery.delivery_state is 'WAITING, DELIVERED, or FAILED: given up.';
comment on column admin.webhook_delivery.attempts is 'How often it was tried; of at most 12.';
comment on column admin.webhook_delivery.last_http_status is 'What the endpoint answered last; NULL when it did not.';
comment on column admin.webhook_delivery.last_error_class is 'Class of the last failure; NULL for none.';
comment on column admin.webhook_delivery.last_latency_ms is 'How long the last try took, in milliseconds.';
comment on column admin.webhook_delivery.last_tried_at is 'When the last try ended.';
comment on column admin.webhook_delivery.next_try_at is 'When it is tried again; NULL unless it failed and waits.';
comment on column admin.webhook_delivery.delivered_at is 'When the endpoint took it; NULL unless it did.';
comment on column admin.webhook_delivery.finding is 'What the last failure means.';
comment on column admin.webhook_delivery.remedy is 'What to do about it.';
