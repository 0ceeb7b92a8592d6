create or replace function gateway.fn_find_bill(p_customer_hk bytea, p_month date, p_known_at timestamptz default null)
returns bytea
language sql stable
set search_path = ''
begin atomic
    select h.invoice_hk
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk
    where
        h.customer_hk = p_customer_hk and s.billing_period = p_month and s.invoice_kind = 'INVOICE'
        and s.invoice_status <> 'DRAFT' and s.load_date <= coalesce(p_known_at, 'infinity')
    order by s.load_date desc
    limit 1;
end;

comment on function gateway.fn_find_bill(bytea, date, timestamptz) is
'The invoice of a customer''s month, now or as it was known: the last one if others are void; NULL for none.';

-- The bill of a month: the invoice if there is one, else what it would be if the month ended now.
create or replace function gateway.fn_bill_document(
    p_customer_hk bytea, p_tenant text, p_customer text, p_month date, p_known_at timestamptz default null,
    p_usage jsonb default null
) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_hk bytea := gateway.fn_find_bill(p_customer_hk, p_month, p_known_at);
    v_made record;
begin
    if v_hk is not null then
        return gateway.fn_read_invoice(v_hk, p_known_at);
    end if;
    select m.* into v_made
    from gateway.fn_make_invoice(
        p_customer_hk, p_customer, p_month, p_known_at,
        coalesce(p_usage, gateway.fn_pack_usage(p_customer, p_month, p_known_at))
    ) as m;
    return gateway.fn_write_document(v_made.invoice, v_made.lines, p_tenant, p_customer);
end
$$;

comment on function gateway.fn_bill_document(bytea, text, text, date, timestamptz, jsonb) is
'A customer''s bill of a month as JSON: its invoice, or a draft as of now, from what fn_pack_usage packed if the caller
has it. The caller names the tenant by onevault.tenant.';
