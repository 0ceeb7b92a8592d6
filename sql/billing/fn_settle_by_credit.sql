-- What was paid ahead pays the invoice; one that is owed nothing of is paid. What is less than the currency has a coin
-- for nobody can pay: it is rounding.
create or replace function gateway.fn_settle_by_credit(p_invoice_hk bytea, p_charges jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_invoice gateway.invoice_s;
    v_customer_hk bytea := (select h.customer_hk from gateway.invoice_h as h where h.invoice_hk = p_invoice_hk);
    v_postings jsonb;
    v_used numeric;
    v_due numeric;
    v_applied numeric;
    v_left numeric := 0;
begin
    select s.* into strict v_invoice
    from gateway.invoice_s as s
    where s.invoice_hk = p_invoice_hk and s.load_end_date is null;
    v_due := round(v_invoice.total / v_invoice.units_per_usd, 10);
    if v_due > 0 and p_charges <> '[]' then
        select
            jsonb_agg(jsonb_build_object(
                'account', 'prepaid', 'amount_usd', p.amount_usd, 'credit', encode(p.credit_hk, 'hex')
            )), sum(p.amount_usd)
        into v_postings, v_used
        from gateway.fn_apply_credits(v_customer_hk, 'PREPAID', p_charges, v_due) as p;
        v_applied := util.fn_round_half_even(v_used * v_invoice.units_per_usd, v_invoice.decimals);
        if v_used = v_due or v_applied >= v_invoice.total then
            v_applied := v_invoice.total;
            v_left := v_due - v_used;
        end if;
        if v_used > 0 then
            perform gateway.fn_post_entry(
                v_customer_hk, 'PREPAID', 'invoice:' || v_invoice.invoice_number || ':prepaid',
                v_postings || jsonb_build_array(
                    jsonb_build_object('account', 'receivable', 'amount_usd', -v_used - v_left),
                    jsonb_build_object('account', 'rounding', 'amount_usd', v_left)
                ),
                v_invoice.billing_period, 'Paid from credit', null, p_invoice_hk
            );
            perform gateway.fn_load_invoice(p_invoice_hk, jsonb_build_object('prepaid_applied', v_applied));
        end if;
    end if;
    if v_due = 0 or v_applied = v_invoice.total then
        perform gateway.fn_load_invoice(p_invoice_hk, '{"invoice_status": "PAID"}');
    end if;
end
$$;

comment on function gateway.fn_settle_by_credit(bytea, jsonb) is
'Pays an invoice from prepaid credits, as far as they reach, and marks it paid if not so much as a coin is due.';
