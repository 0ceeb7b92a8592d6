-- Runs in the transaction that charges: an event commits with its charge, or not at all. What a request used is written
-- down; where it goes and who the customer is there is looked up when it is sent, so that a mistake can be mended.
create or replace function gateway.fn_write_usage_events(p_requests gateway.api_request_s[]) returns void
language plpgsql
set search_path = ''
as $$
begin
    with concerned as materialized (
        select
            q.api_request_hk, e.usage_export_hk, q.customer_hk, q.tenant_hk,
            encode(e.usage_export_hk, 'hex')
            || case when e.export_kind = 'STRIPE' then encode(q.customer_hk, 'hex') else '' end as lane,
            case e.event_value
                when 'TOKENS' then q.total_tokens
                when 'CHARGE_USD' then q.customer_cost
                else (q.response_status = 'SUCCESS' or q.customer_cost > 0)::integer
            end as event_value
        from unnest(p_requests) as q
        inner join gateway.usage_export_customer_l as l on q.customer_hk = l.customer_hk
        inner join gateway.usage_export_customer_s as s
            on l.usage_export_customer_hk = s.usage_export_customer_hk and s.load_end_date is null
        inner join gateway.usage_export_s as e
            on l.usage_export_hk = e.usage_export_hk and e.load_end_date is null and e.is_active
            and coalesce(e.tenant_hk, q.tenant_hk) = q.tenant_hk
    ),

    written as (
        insert into gateway.usage_event_l (
            api_request_hk, usage_export_hk, customer_hk, tenant_hk, event_value, record_source
        )
        select c.api_request_hk, c.usage_export_hk, c.customer_hk, c.tenant_hk, c.event_value, 'gateway'
        from concerned as c
        where c.event_value > 0
    )

    insert into pgmq.q_usage_event (vt, message)
    select clock_timestamp(), jsonb_build_object(
        'request', encode(c.api_request_hk, 'hex'), 'export', encode(c.usage_export_hk, 'hex'),
        'customer', encode(c.customer_hk, 'hex'), 'lane', c.lane
    )
    from concerned as c
    where c.event_value > 0;
end
$$;

comment on function gateway.fn_write_usage_events(gateway.api_request_s[]) is
'Writes what settled requests used into the outbox of each active export that concerns their customers.';
