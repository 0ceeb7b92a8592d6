-- Notes of before are taken off what is still due of their invoices, one after the other; what was refunded is that of
-- the oldest notes, and of invoices below zero, that are left. The functions are those of before, which a first
-- installation, where nothing is to be done, does not have yet.
set local role onevault_owner;

alter table gateway.invoice_s validate constraint nothing_is_paid_twice;
alter table gateway.invoice_s validate constraint paid_means_all_of_it;
alter table gateway.subscription_s validate constraint follows_a_plan;

do $$
declare
    v_note record;
    v_invoice gateway.invoice_s;
    v_taken numeric;
    v_refund record;
    v_left numeric;
begin
    for v_note in
        select s.invoice_hk, s.refers_to_hk, -s.total as amount, h.customer_hk
        from gateway.invoice_s as s
        inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk
        where s.invoice_kind = 'CREDIT_NOTE' and s.invoice_status = 'FINAL' and s.load_end_date is null
        order by s.known_at, s.invoice_hk
    loop
        select s.* into strict v_invoice
        from gateway.invoice_s as s
        where s.invoice_hk = v_note.refers_to_hk and s.load_end_date is null;
        v_taken := least(v_note.amount, v_invoice.total - v_invoice.credited - v_invoice.prepaid_applied - v_invoice.paid);
        continue when v_taken <= 0 or v_invoice.invoice_status <> 'FINAL';
        perform gateway.fn_load_invoice(v_note.invoice_hk, jsonb_build_object(
            'credited', -v_taken, 'invoice_status', case when v_taken = v_note.amount then 'PAID' else 'FINAL' end
        ));
        v_invoice.credited := v_invoice.credited + v_taken;
        if v_invoice.credited + v_invoice.prepaid_applied + v_invoice.paid = v_invoice.total then
            v_invoice.invoice_status := 'PAID';
            perform gateway.fn_note_billing_status(v_note.customer_hk, v_invoice.billing_period, 'PAID');
        end if;
        perform gateway.fn_load_invoice(v_invoice.invoice_hk, jsonb_build_object(
            'credited', v_invoice.credited, 'invoice_status', v_invoice.invoice_status
        ));
    end loop;

    for v_refund in
        select e.customer_hk, sum(p.amount_usd) as amount_usd
        from gateway.ledger_entry_s as e
        inner join gateway.ledger_posting_s as p on e.ledger_entry_hk = p.ledger_entry_hk
        where e.entry_kind = 'REFUND' and p.account = 'receivable'
        group by e.customer_hk
    loop
        v_left := v_refund.amount_usd;
        for v_invoice in
            select s.*
            from gateway.invoice_s as s
            inner join gateway.invoice_h as h on s.invoice_hk = h.invoice_hk
            where
                h.customer_hk = v_refund.customer_hk and s.invoice_status = 'FINAL' and s.load_end_date is null
                and s.total < s.credited + s.prepaid_applied + s.paid
            order by s.known_at, s.invoice_hk
        loop
            v_taken := least(
                v_invoice.credited + v_invoice.prepaid_applied + v_invoice.paid - v_invoice.total,
                util.fn_round_half_even(v_left * v_invoice.units_per_usd, v_invoice.decimals)
            );
            exit when v_taken <= 0;
            v_left := v_left - v_taken / v_invoice.units_per_usd;
            v_invoice.paid := v_invoice.paid - v_taken;
            perform gateway.fn_load_invoice(v_invoice.invoice_hk, jsonb_build_object(
                'paid', v_invoice.paid, 'invoice_status', case
                    when v_invoice.credited + v_invoice.prepaid_applied + v_invoice.paid = v_invoice.total then 'PAID'
                    else 'FINAL'
                end
            ));
        end loop;
    end loop;
end
$$;
