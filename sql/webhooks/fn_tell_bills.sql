-- In the first days of a month, once nothing of the last one is under way any more. Who set his webhook_url later than
-- that is not told of what is past. Bills show one tenant, and months are those of its time zone.
create or replace function ops.fn_tell_bills(p_now timestamptz default util.current_load_date()) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_customer record;
    v_bill jsonb;
    v_told integer := 0;
begin
    delete from ops.told_bill as t where t.told_at < p_now - interval '60 days';
    for v_customer in
        select c.customer_hk, c.customer_bk::text as name, n.tenant_bk::text as tenant, m.month, k.bill_digest
        from gateway.customer_config_s as s
        inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
        inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
        inner join auth.tenant_s as ns on n.tenant_hk = ns.tenant_hk and ns.load_end_date is null
        cross join lateral (
            select
                (date_trunc('month', p_now at time zone ns.time_zone) - interval '1 month')::date as month,
                date_trunc('month', p_now at time zone ns.time_zone) at time zone ns.time_zone as ended_at
        ) as m
        cross join lateral (
            select sha256(c.customer_hk || convert_to(m.month::text, 'UTF8')) as bill_digest
        ) as k
        where
            s.load_end_date is null and s.webhook_url is not null
            -- Longer after the last second than a decision takes to commit.
            and p_now >= m.ended_at + interval '1 minute' and p_now < m.ended_at + interval '3 days'
            and not exists (select from ops.told_bill as t where t.bill_digest = k.bill_digest)
            and not exists (
                select from ops.reservation as r
                where r.customer_hk = c.customer_hk and r.reserved_at < m.ended_at
            )
        order by c.tenant_hk, c.customer_hk
    loop
        perform set_config('onevault.tenant', v_customer.tenant, true);
        v_bill := gateway.fn_bill_document(
            v_customer.customer_hk, v_customer.tenant, v_customer.name, v_customer.month
        );
        insert into ops.told_bill (bill_digest, told_at) values (v_customer.bill_digest, p_now);
        continue when v_bill -> 'lines' = '[]';
        perform gateway.fn_notify(v_customer.customer_hk, 'bill.ready', jsonb_build_object(
            'month', v_bill -> 'period', 'total_usd', (v_bill ->> 'exact_usd')::numeric, 'currency', 'USD'
        ));
        v_told := v_told + 1;
    end loop;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    return v_told;
end
$$;

comment on function ops.fn_tell_bills(timestamptz) is
'Tells customers who have something to pay that the bill of the month before is ready, once; returns how many were
told.';
