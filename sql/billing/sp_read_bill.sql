-- Deleted customers have bills too: their names are looked up in the hub.
create or replace function admin.sp_read_bill(
    p_customer text, p_month date default null, p_known_at timestamptz default null
) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_customer record;
    v_bill jsonb;
    v_month date;
begin
    select c.customer_hk, c.customer_bk::text as name, n.tenant_bk::text as tenant, t.time_zone into v_customer
    from gateway.customer_h as c
    inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
    inner join auth.tenant_s as t on n.tenant_hk = t.tenant_hk
    where c.customer_hk = util.hash_key(p_customer)
    order by t.load_date desc
    limit 1;
    if not found then
        perform admin.fn_refuse_change(
            404, 'customer_exists', format('There is no customer %s', quote_literal(coalesce(p_customer, ''))),
            'Look into admin.customer_history.'
        );
    end if;
    v_month := date_trunc('month', coalesce(
        p_month::timestamp, util.current_load_date() at time zone v_customer.time_zone
    ))::date;
    perform set_config('onevault.tenant', v_customer.tenant, true);
    v_bill := gateway.fn_bill_document(
        v_customer.customer_hk, v_customer.tenant, v_customer.name, v_month, p_known_at
    );
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    return v_bill;
end
$$;

comment on function admin.sp_read_bill(text, date, timestamptz) is
'A customer''s bill of a month (the current one if none is named) as JSON, now or as it was known at a moment: the
invoice, or the draft of a month that is not closed.';
