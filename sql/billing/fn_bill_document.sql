-- The bill of a month: the invoice if there is one, else what it would be if the month ended now.
create or replace function gateway.fn_bill_document(
    p_customer_hk bytea, p_tenant text, p_customer text, p_month date, p_known_at timestamptz default null
) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_hk bytea;
    v_made record;
begin
    select h.invoice_hk into v_hk
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk
    where
        h.customer_hk = p_customer_hk and s.billing_period = p_month and s.invoice_kind = 'INVOICE'
        and s.invoice_status <> 'DRAFT' and s.load_date <= coalesce(p_known_at, 'infinity')
    order by s.load_date desc
    limit 1;
    if found then
        return gateway.fn_read_invoice(v_hk, p_known_at);
    end if;
    select m.* into v_made
    from gateway.fn_make_invoice(
        p_customer_hk, p_customer, p_month, coalesce(p_known_at, clock_timestamp()),
        gateway.fn_pack_usage(p_customer, p_month, p_known_at)
    ) as m;
    return gateway.fn_write_document(v_made.invoice, v_made.lines, p_tenant, p_customer);
end
$$;

comment on function gateway.fn_bill_document(bytea, text, text, date, timestamptz) is
'A customer''s bill of a month as JSON: its invoice, or a draft as of now. The caller names the tenant by
onevault.tenant.';
