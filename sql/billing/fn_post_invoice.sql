-- An invoice moves what was not billed to what is owed. Services and what lowers the month are booked here, charges
-- were when they came. What rounding gave or took has an account of its own.
create or replace function gateway.fn_post_invoice(p_invoice_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_invoice gateway.invoice_s;
    v_customer_hk bytea;
    v_sums record;
    v_total numeric;
    v_tax numeric;
    v_name text;
begin
    select s.* into strict v_invoice
    from gateway.invoice_s as s
    where s.invoice_hk = p_invoice_hk and s.load_end_date is null;
    select h.customer_hk into strict v_customer_hk from gateway.invoice_h as h where h.invoice_hk = p_invoice_hk;
    v_name := 'invoice:' || v_invoice.invoice_number;
    select
        coalesce(sum(l.exact_usd) filter (where l.line_kind = 'SERVICE'), 0) as services,
        coalesce(sum(l.exact_usd) filter (where l.line_kind = 'INCLUDED'), 0) as included,
        coalesce(sum(l.exact_usd) filter (where l.line_kind = 'PROMOTION'), 0) as promotions,
        jsonb_agg(jsonb_build_object(
            'account', 'prepaid', 'amount_usd', -l.exact_usd, 'credit', encode(l.credit_hk, 'hex')
        )) filter (where l.line_kind = 'PROMOTION') as credits
    into v_sums
    from gateway.invoice_line_s as l
    where l.invoice_hk = p_invoice_hk and l.load_date = v_invoice.lines_load_date;
    v_total := round(v_invoice.total / v_invoice.units_per_usd, 10);
    v_tax := round(v_invoice.tax_total / v_invoice.units_per_usd, 10);

    if v_sums.services <> 0 then
        perform gateway.fn_post_entry(v_customer_hk, 'SERVICES', v_name || ':services', jsonb_build_array(
            jsonb_build_object('account', 'unbilled', 'amount_usd', v_sums.services),
            jsonb_build_object('account', 'service_revenue', 'amount_usd', -v_sums.services)
        ), v_invoice.billing_period, 'Fees of plans', null, p_invoice_hk);
    end if;
    if v_sums.included <> 0 then
        perform gateway.fn_post_entry(v_customer_hk, 'INCLUDED', v_name || ':included', jsonb_build_array(
            jsonb_build_object('account', 'unbilled', 'amount_usd', v_sums.included),
            jsonb_build_object('account', 'usage_revenue', 'amount_usd', -v_sums.included)
        ), v_invoice.billing_period, 'Usage that plans include', null, p_invoice_hk);
    end if;
    if v_sums.promotions <> 0 then
        perform gateway.fn_post_entry(v_customer_hk, 'PROMOTIONS', v_name || ':promotions', jsonb_build_array(
            jsonb_build_object('account', 'unbilled', 'amount_usd', v_sums.promotions)
        ) || v_sums.credits, v_invoice.billing_period, 'Promotions used', null, p_invoice_hk);
    end if;
    if v_total <> 0 or v_invoice.exact_usd <> 0 then
        perform gateway.fn_post_entry(v_customer_hk, 'INVOICE', v_name, jsonb_build_array(
            jsonb_build_object('account', 'receivable', 'amount_usd', v_total),
            jsonb_build_object('account', 'unbilled', 'amount_usd', -v_invoice.exact_usd),
            jsonb_build_object('account', 'tax_payable', 'amount_usd', -v_tax),
            jsonb_build_object('account', 'rounding', 'amount_usd', v_invoice.exact_usd + v_tax - v_total)
        ), v_invoice.billing_period, null, null, p_invoice_hk);
    end if;
end
$$;

comment on function gateway.fn_post_invoice(bytea) is 'Posts a final invoice to the ledger.';
