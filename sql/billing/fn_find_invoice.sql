create or replace function gateway.fn_find_invoice(p_invoice_number text, out hk bytea, out invoice gateway.invoice_s)
language plpgsql
set search_path = ''
as $$
begin
    select s.invoice_hk into hk
    from gateway.invoice_s as s
    where s.invoice_number = upper(btrim(p_invoice_number)) and s.load_end_date is null;
    if hk is null then
        perform admin.fn_refuse_change(
            404, 'invoice_exists', format('There is no invoice %s', quote_literal(coalesce(p_invoice_number, ''))),
            'Look into business_vault.invoice.'
        );
    end if;
    -- Who waits here sees what the one before has done.
    perform from gateway.invoice_h as h where h.invoice_hk = hk for update;
    select s.* into invoice from gateway.invoice_s as s where s.invoice_hk = hk and s.load_end_date is null;
end
$$;

comment on function gateway.fn_find_invoice(text) is
'Locks an invoice by its number, and gives it; refuses an unknown one.';
