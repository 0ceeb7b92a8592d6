create or replace function admin.fn_check_webhooks()
returns table (check_name text, is_ok boolean, finding text, remedy text)
language sql stable
set search_path = ''
begin atomic
    with waiting as (select count(*) as events from pgmq.q_webhook),

    failed as (
        select count(*) as events
        from gateway.webhook_delivery_s as d
        inner join gateway.webhook_event_h as e
            on d.webhook_event_hk = e.webhook_event_hk and d.customer_hk = e.customer_hk
        where
            d.delivery_state = 'FAILED' and d.load_date > now() - interval '1 day' and e.event_type <> 'webhook.test'
    ),

    unsigned as (
        select count(*) as customers
        from gateway.customer_config_s as c
        where c.load_end_date is null and c.webhook_url is not null and not exists (
            select from gateway.webhook_secret_h as h
            inner join gateway.webhook_secret_s as s
                on h.webhook_secret_hk = s.webhook_secret_hk and s.load_end_date is null
            where h.customer_hk = c.customer_hk and s.valid_to > now()
        )
    )

    select
        'webhooks', f.events = 0 and u.customers = 0,
        format(
            '%s events wait, %s were given up in the last day; %s customers have an address and no secret', w.events,
            f.events, u.customers
        ),
        'Look into admin.webhook_delivery; make a secret: onevault webhook secret CUSTOMER'
    from waiting as w
    cross join failed as f
    cross join unsigned as u;
end;

comment on function admin.fn_check_webhooks() is 'For "onevault doctor": events that wait or were given up.';
