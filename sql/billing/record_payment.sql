-- Paid in the invoice's currency, by its rate. The reference is what makes it happen once: told again it is the same
-- payment, and of another invoice or amount it is refused, since nobody would look for that one any more.
create or replace function admin.record_payment(p_invoice_number text, p_amount numeric, p_reference text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_found record;
    v_invoice gateway.invoice_s;
    v_customer_hk bytea;
    v_bk text := 'payment:' || btrim(p_reference);
    v_due numeric;
    v_usd numeric;
    v_known record;
begin
    perform set_config('synchronous_commit', 'on', true);
    select f.* into v_found from gateway.fn_find_invoice(p_invoice_number) as f;
    v_invoice := v_found.invoice;
    select h.customer_hk into v_customer_hk from gateway.invoice_h as h where h.invoice_hk = v_found.hk;
    if coalesce(btrim(p_reference), '') = '' then
        perform admin.fn_refuse_change(
            400, 'payments_have_a_reference', 'A payment needs a reference', 'Use what the bank statement says.'
        );
    end if;
    perform admin.fn_lock_name('payment', btrim(p_reference));
    select
        i.invoice_hk, i.invoice_number, i.currency,
        round(util.fn_round_half_even(p.amount_usd * i.units_per_usd, i.decimals), i.decimals) as amount
    into v_known
    from gateway.ledger_entry_h as h
    inner join gateway.ledger_entry_s as e on h.ledger_entry_hk = e.ledger_entry_hk
    inner join gateway.ledger_posting_s as p on h.ledger_entry_hk = p.ledger_entry_hk and p.account = 'cash'
    inner join gateway.invoice_s as i on e.invoice_hk = i.invoice_hk and i.load_end_date is null
    where h.ledger_entry_bk = v_bk;
    if v_known.invoice_hk = v_found.hk and v_known.amount = p_amount then
        return 'it is recorded already';
    elsif v_known.invoice_hk is not null then
        perform admin.fn_refuse_change(
            409, 'references_are_used_once', format('%s is the reference of another payment, of %s %s for %s',
                quote_literal(btrim(p_reference)), v_known.amount, v_known.currency, v_known.invoice_number),
            'Add what tells them apart, as the number of the invoice.'
        );
    end if;
    v_due := v_invoice.total - v_invoice.credited - v_invoice.prepaid_applied - v_invoice.paid;
    if v_invoice.invoice_status <> 'FINAL' or p_amount is null or p_amount <= 0 or p_amount > v_due then
        perform admin.fn_refuse_change(
            409, 'payments_are_for_what_is_due',
            format('Of %s %s %s is due, and it is %s', v_invoice.invoice_number, round(v_due, v_invoice.decimals),
                v_invoice.currency, lower(v_invoice.invoice_status)),
            'Record what pays it; grant the rest as a prepaid credit.'
        );
    end if;
    if p_amount <> round(p_amount, v_invoice.decimals) then
        perform admin.fn_refuse_change(
            400, 'amounts_fit_the_currency', format('%s has no amount of %s', v_invoice.currency, p_amount),
            format('Use %s decimals.', v_invoice.decimals)
        );
    end if;
    -- The last payment pays what its notes left of it to the last digit, whatever its rate left over.
    v_usd := case when p_amount = v_due then (
        select coalesce(sum(p.amount_usd), 0)
        from gateway.ledger_entry_s as e
        inner join gateway.ledger_posting_s as p on e.ledger_entry_hk = p.ledger_entry_hk
        where
            p.account = 'receivable' and e.invoice_hk in (
                select s.invoice_hk from gateway.invoice_s as s
                where
                    v_found.hk in (s.invoice_hk, s.refers_to_hk) and s.load_end_date is null
                    and s.invoice_status <> 'VOID'
            )
    ) else round(p_amount / v_invoice.units_per_usd, 10) end;
    perform gateway.fn_post_entry(v_customer_hk, 'PAYMENT', v_bk, jsonb_build_array(
        jsonb_build_object('account', 'cash', 'amount_usd', v_usd),
        jsonb_build_object('account', 'receivable', 'amount_usd', -v_usd)
    ), v_invoice.billing_period, p_reference, null, v_found.hk);
    perform gateway.fn_load_invoice(v_found.hk, jsonb_build_object(
        'paid', v_invoice.paid + p_amount, 'invoice_status', case when p_amount = v_due then 'PAID' else 'FINAL' end
    ));
    if p_amount = v_due and v_invoice.invoice_kind = 'INVOICE' then
        perform gateway.fn_note_billing_status(v_customer_hk, v_invoice.billing_period, 'PAID');
    end if;
    return case when p_amount = v_due then 'paid' else 'paid in part' end;
end
$$;

comment on function admin.record_payment(text, numeric, text) is
'Records a payment of an invoice, in its currency, once per reference; says whether it is paid now.';
