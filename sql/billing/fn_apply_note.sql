-- A credit note is taken off what is due of its invoice, and no further: what it gives back beyond that is the
-- customer's. Each note is turned into USD by itself; what the one that ends the matter leaves is rounding: where all
-- is given back, what he has paid is his to the last digit, else what the note gives back beyond what was due.
create or replace function gateway.fn_apply_note(p_note_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_note gateway.invoice_s;
    v_invoice gateway.invoice_s;
    v_customer_hk bytea := (select h.customer_hk from gateway.invoice_h as h where h.invoice_hk = p_note_hk);
    v_notes record;
    v_due numeric;
    v_taken numeric;
    v_is_last boolean;
    v_left record;
begin
    select s.* into strict v_note
    from gateway.invoice_s as s
    where s.invoice_hk = p_note_hk and s.load_end_date is null;
    select s.* into strict v_invoice
    from gateway.invoice_s as s
    where s.invoice_hk = v_note.refers_to_hk and s.load_end_date is null;
    v_due := v_invoice.total - v_invoice.credited - v_invoice.prepaid_applied - v_invoice.paid;
    v_taken := least(v_due, -v_note.total);
    if v_taken > 0 then
        perform gateway.fn_load_invoice(p_note_hk, jsonb_build_object(
            'credited', -v_taken, 'invoice_status', case when v_taken = -v_note.total then 'PAID' else 'FINAL' end
        ));
        perform gateway.fn_load_invoice(v_invoice.invoice_hk, jsonb_build_object(
            'credited', v_invoice.credited + v_taken, 'invoice_status', case when v_taken = v_due then 'PAID' else 'FINAL' end
        ));
        if v_taken = v_due then
            perform gateway.fn_note_billing_status(v_customer_hk, v_invoice.billing_period, 'PAID');
        end if;
    end if;

    select array_agg(s.invoice_hk) as hks, -sum(s.total) as total into v_notes
    from gateway.invoice_s as s
    where s.refers_to_hk = v_invoice.invoice_hk and s.load_end_date is null and s.invoice_status <> 'VOID';
    v_is_last := v_notes.total = v_invoice.total;
    if not v_is_last and (v_taken <= 0 or v_taken < v_due) then
        return;
    end if;
    select
        coalesce(sum(p.amount_usd) filter (where p.account = 'receivable'), 0)
        + case when v_is_last then 0 else round((-v_note.total - v_taken) / v_invoice.units_per_usd, 10) end as owed_usd,
        coalesce(sum(p.amount_usd) filter (where p.account = 'tax_payable' and v_is_last), 0) as tax_usd
    into v_left
    from gateway.ledger_entry_s as e
    inner join gateway.ledger_posting_s as p on e.ledger_entry_hk = p.ledger_entry_hk
    where
        e.invoice_hk = any(v_notes.hks || v_invoice.invoice_hk)
        and (not v_is_last or e.entry_kind in ('INVOICE', 'CREDIT_NOTE', 'ROUNDING'));
    if v_left.owed_usd <> 0 or v_left.tax_usd <> 0 then
        perform gateway.fn_post_entry(
            v_customer_hk, 'ROUNDING', 'invoice:' || v_note.invoice_number || ':rounding', jsonb_build_array(
                jsonb_build_object('account', 'receivable', 'amount_usd', -v_left.owed_usd),
                jsonb_build_object('account', 'tax_payable', 'amount_usd', -v_left.tax_usd),
                jsonb_build_object('account', 'rounding', 'amount_usd', v_left.owed_usd + v_left.tax_usd)
            ), v_note.billing_period, 'Left by the rate', (
                select h.ledger_entry_hk from gateway.ledger_entry_h as h
                where h.ledger_entry_bk = 'invoice:' || v_note.invoice_number
            ), p_note_hk
        );
    end if;
end
$$;

comment on function gateway.fn_apply_note(bytea) is
'Takes a credit note off what is due of its invoice, which is paid if nothing is due any more; what the rate leaves of
USD then is rounding.';
