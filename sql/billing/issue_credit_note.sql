-- Of what was invoiced a part is given back, tax in proportion to all that was given back so far, so that parts of it
-- together have no more tax than it has. It lowers what is due of the invoice; what the customer then has too much is
-- refunded or stays for the next invoice.
create or replace function admin.issue_credit_note(p_invoice_number text, p_amount numeric, p_reason text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_found record;
    v_invoice gateway.invoice_s;
    v_note gateway.invoice_s;
    v_line gateway.invoice_line_s;
    v_tax gateway.invoice_line_s;
    v_lines gateway.invoice_line_s[];
    v_customer_hk bytea;
    v_given numeric;
    v_tax_given numeric;
    v_hk bytea;
    v_usd numeric;
    v_tax_usd numeric;
begin
    perform set_config('synchronous_commit', 'on', true);
    select f.* into v_found from gateway.fn_find_invoice(p_invoice_number) as f;
    v_invoice := v_found.invoice;
    select h.customer_hk into v_customer_hk from gateway.invoice_h as h where h.invoice_hk = v_found.hk;
    select coalesce(-sum(s.total), 0), coalesce(-sum(s.tax_total), 0) into v_given, v_tax_given
    from gateway.invoice_s as s
    where s.refers_to_hk = v_found.hk and s.load_end_date is null and s.invoice_status <> 'VOID';
    if
        v_invoice.invoice_kind <> 'INVOICE' or v_invoice.invoice_status not in ('FINAL', 'PAID') or p_amount is null
        or p_amount <= 0 or p_amount > v_invoice.total - v_given or p_amount <> round(p_amount, v_invoice.decimals)
    then
        perform admin.fn_refuse_change(
            409, 'credit_notes_give_back_what_was_billed',
            format('Of %s %s %s can be given back, and it is %s', v_invoice.invoice_number,
                round(v_invoice.total - v_given, v_invoice.decimals), v_invoice.currency, lower(v_invoice.invoice_status)),
            'Use a part of it, tax included.'
        );
    end if;
    if coalesce(btrim(p_reason), '') = '' then
        perform admin.fn_refuse_change(400, 'credit_notes_have_a_reason', 'What is it for?', 'Say so in p_reason.');
    end if;
    v_note := v_invoice;
    v_note.invoice_kind := 'CREDIT_NOTE';
    v_note.known_at := clock_timestamp();
    v_note.lines_load_date := v_note.known_at;
    v_note.refers_to_hk := v_found.hk;
    v_note.usage := '{}';
    v_note.credited := 0;
    v_note.prepaid_applied := 0;
    v_note.paid := 0;
    select l.* into v_tax
    from gateway.invoice_line_s as l
    where l.invoice_hk = v_found.hk and l.load_date = v_invoice.lines_load_date and l.line_kind = 'TAX';
    v_note.total := -p_amount;
    v_note.tax_total := v_tax_given - util.fn_round_half_even(
        (v_given + p_amount) * coalesce(v_tax.tax_percent, 0) / (100 + coalesce(v_tax.tax_percent, 0)), v_invoice.decimals
    );
    v_note.subtotal := v_note.total - v_note.tax_total;
    v_line.line_number := 1;
    v_line.customer_hk := v_customer_hk;
    v_line.line_kind := 'ADJUSTMENT';
    v_line.description := p_reason;
    v_line.amount := v_note.subtotal;
    v_line.exact := v_note.subtotal;
    v_line.exact_usd := round(v_note.subtotal / v_invoice.units_per_usd, 10);
    v_line.remainder := 0;
    v_note.exact_usd := v_line.exact_usd;
    v_lines := array[v_line];
    if v_note.tax_total <> 0 then
        v_tax.line_number := 2;
        v_tax.amount := v_note.tax_total;
        v_tax.exact := v_note.tax_total;
        v_tax.exact_usd := round(v_note.tax_total / v_invoice.units_per_usd, 10);
        v_tax.remainder := 0;
        v_lines := v_lines || v_tax;
    end if;
    v_hk := gateway.fn_store_invoice(v_customer_hk, v_note, v_lines, split_part(v_invoice.invoice_number, '-', 1), 0);
    select s.* into v_note from gateway.invoice_s as s where s.invoice_hk = v_hk and s.load_end_date is null;
    v_usd := round(v_note.total / v_note.units_per_usd, 10);
    v_tax_usd := round(v_note.tax_total / v_note.units_per_usd, 10);
    perform gateway.fn_post_entry(
        v_customer_hk, 'CREDIT_NOTE', 'invoice:' || v_note.invoice_number, jsonb_build_array(
            jsonb_build_object('account', 'receivable', 'amount_usd', v_usd),
            jsonb_build_object('account', 'tax_payable', 'amount_usd', -v_tax_usd),
            jsonb_build_object('account', 'adjustment', 'amount_usd', v_tax_usd - v_usd)
        ), v_note.billing_period, p_reason, (
            select h.ledger_entry_hk from gateway.ledger_entry_h as h
            where h.ledger_entry_bk = 'invoice:' || v_invoice.invoice_number
        ), v_hk
    );
    perform gateway.fn_apply_note(v_hk);
    return v_note.invoice_number;
end
$$;

comment on function admin.issue_credit_note(text, numeric, text) is
'Gives back a part of an invoice, in its currency and with its tax; gives the number of the credit note.';
