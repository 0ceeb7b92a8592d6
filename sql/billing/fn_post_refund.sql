-- What goes back is that of credit notes and of invoices below zero, the oldest first; each has an entry of its own,
-- and the later ones refer to the first. Where none is open it is the customer's alone. The last takes what rates left.
create or replace function gateway.fn_post_refund(
    p_customer_hk bytea, p_amount_usd numeric, p_bk text, p_reference text
) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_left numeric := p_amount_usd;
    v_open record;
    v_amount numeric;
    v_usd numeric;
    v_first_hk bytea;
    v_entry_hk bytea;
begin
    for v_open in
        select
            o.*, row_number() over (order by o.known_at desc, o.invoice_hk desc) = 1 as is_last
        from (values (p_customer_hk)) as c (customer_hk)
        left join lateral (
            select s.*, s.credited + s.prepaid_applied + s.paid - s.total as owed
            from gateway.invoice_h as h
            inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk
            where
                h.customer_hk = c.customer_hk and s.load_end_date is null and s.invoice_status = 'FINAL'
                and s.total < s.credited + s.prepaid_applied + s.paid
        ) as o on true
        order by o.known_at, o.invoice_hk
    loop
        exit when v_left = 0;
        v_amount := least(v_open.owed, util.fn_round_half_even(v_left * v_open.units_per_usd, v_open.decimals));
        v_usd := case
            when v_open.is_last or v_amount < v_open.owed then v_left
            else least(v_left, round(v_amount / v_open.units_per_usd, 10))
        end;
        v_left := v_left - v_usd;
        v_entry_hk := gateway.fn_post_entry(
            p_customer_hk, 'REFUND', concat_ws(':', p_bk, case when v_first_hk is not null then v_open.invoice_number end),
            jsonb_build_array(
                jsonb_build_object('account', 'receivable', 'amount_usd', v_usd),
                jsonb_build_object('account', 'cash', 'amount_usd', -v_usd)
            ), v_open.billing_period, p_reference, v_first_hk, v_open.invoice_hk
        );
        v_first_hk := coalesce(v_first_hk, v_entry_hk);
        if v_amount > 0 then
            perform gateway.fn_load_invoice(v_open.invoice_hk, jsonb_build_object(
                'paid', v_open.paid - v_amount,
                'invoice_status', case when v_amount = v_open.owed then 'PAID' else 'FINAL' end
            ));
        end if;
        if v_amount = v_open.owed and v_open.invoice_kind = 'INVOICE' then
            perform gateway.fn_note_billing_status(p_customer_hk, v_open.billing_period, 'PAID');
        end if;
    end loop;
end
$$;

comment on function gateway.fn_post_refund(bytea, numeric, text, text) is
'Posts money that goes back to a customer, against his credit notes and invoices below zero, which are paid by it.';
