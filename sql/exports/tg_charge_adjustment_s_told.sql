-- Runs in the transaction that adjusts: a correction is an event of its own, beside the one it corrects. Told are
-- exports that were told of the charge in money, or would have been if it had not been nothing; what of it changed, and
-- when it did, since the month of the request may be on an invoice there. What was used stays as it was told.
create or replace function gateway.tg_charge_adjustment_s_told() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if not exists (
        select from gateway.usage_export_s as e
        where e.load_end_date is null and e.is_active and e.event_value = 'CHARGE_USD'
    ) then
        return null;
    end if;
    with concerned as materialized (
        select
            a.adjustment_hk, a.api_request_hk, a.customer_hk, a.tenant_hk, a.delta_charge, e.usage_export_hk,
            encode(e.usage_export_hk, 'hex')
            || case when e.export_kind = 'STRIPE' then encode(a.customer_hk, 'hex') else '' end as lane
        from added as a
        inner join gateway.api_request_s as s on a.api_request_hk = s.api_request_hk and a.customer_hk = s.customer_hk
        inner join gateway.usage_export_customer_l as l on a.customer_hk = l.customer_hk
        inner join gateway.usage_export_s as e
            on
                l.usage_export_hk = e.usage_export_hk and e.load_end_date is null and e.is_active
                and e.event_value = 'CHARGE_USD'
        left join gateway.usage_event_l as v
            on
                a.api_request_hk = v.api_request_hk and e.usage_export_hk = v.usage_export_hk
                and a.customer_hk = v.customer_hk
        where
            a.delta_charge <> 0
            and (
                v.api_request_hk is not null
                or s.customer_cost = 0 and exists (
                    select from gateway.usage_export_customer_s as c
                    inner join gateway.usage_export_s as b
                        on
                            b.usage_export_hk = e.usage_export_hk and b.load_date <= s.load_date
                            and coalesce(b.load_end_date > s.load_date, true) and b.is_active
                    where
                        c.usage_export_customer_hk = l.usage_export_customer_hk and c.load_date <= s.load_date
                        and coalesce(c.load_end_date > s.load_date, true)
                )
            )
    ),

    written as (
        insert into gateway.usage_event_l (
            api_request_hk, usage_export_hk, customer_hk, tenant_hk, event_value, refers_to_hk, record_source
        )
        select
            c.adjustment_hk, c.usage_export_hk, c.customer_hk, c.tenant_hk, c.delta_charge, c.api_request_hk, 'gateway'
        from concerned as c
    )

    insert into pgmq.q_usage_event (vt, message)
    select clock_timestamp(), jsonb_build_object(
        'request', encode(c.adjustment_hk, 'hex'), 'export', encode(c.usage_export_hk, 'hex'),
        'customer', encode(c.customer_hk, 'hex'), 'lane', c.lane
    )
    from concerned as c;
    return null;
end
$$;

comment on function gateway.tg_charge_adjustment_s_told() is
'Writes what corrected prices change of a charge into the outbox of each active export that was told of it in USD.';

create or replace trigger charge_adjustment_s_told after insert on gateway.charge_adjustment_s
referencing new table as added for each statement execute function gateway.tg_charge_adjustment_s_told();
