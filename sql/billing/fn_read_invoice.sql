create or replace function gateway.fn_read_invoice(p_invoice_hk bytea, p_known_at timestamptz default null)
returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_invoice gateway.invoice_s;
    v_lines gateway.invoice_line_s[];
    v_names record;
begin
    select s.* into v_invoice
    from gateway.invoice_s as s
    where
        s.invoice_hk = p_invoice_hk and s.load_date <= coalesce(p_known_at, 'infinity')
        and (s.load_end_date is null or s.load_end_date > coalesce(p_known_at, 'infinity'));
    if not found then
        return null;
    end if;
    select array_agg(l order by l.line_number) into v_lines
    from gateway.invoice_line_s as l
    where l.invoice_hk = p_invoice_hk and l.load_date = v_invoice.lines_load_date;
    select n.tenant_bk::text as tenant, c.customer_bk::text as customer, r.invoice_number::text as refers_to into v_names
    from gateway.invoice_h as h
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    left join gateway.invoice_s as r on v_invoice.refers_to_hk = r.invoice_hk and r.load_end_date is null
    where h.invoice_hk = p_invoice_hk;
    return gateway.fn_write_document(v_invoice, v_lines, v_names.tenant, v_names.customer, v_names.refers_to);
end
$$;

comment on function gateway.fn_read_invoice(bytea, timestamptz) is
'An invoice with its lines as JSON, as it stands or stood at a moment; NULL if there was none.';
