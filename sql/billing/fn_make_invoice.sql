-- An invoice of a month as it would be made out now: whose, by whom, in which currency, line by line. Each line is
-- rounded once, halves to the even digit, and keeps what rounding took; the tax is a line of what they come to. Where
-- an invoice without lines is not wanted, nobody needs a tax or a rate for it.
create or replace function gateway.fn_make_invoice(
    p_customer_hk bytea, p_customer text, p_month date, p_known_at timestamptz,
    p_usage jsonb, p_skips_empty boolean default false,
    out invoice gateway.invoice_s, out lines gateway.invoice_line_s[], out billing jsonb
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_last_day date := (p_month + interval '1 month')::date - 1;
    v_billing record;
    v_known_at timestamptz := coalesce(p_known_at, clock_timestamp());
    v_drafts gateway.invoice_line_s[];
    v_line gateway.invoice_line_s;
    v_number smallint := 0;
    v_invoice gateway.invoice_s;
begin
    lines := '{}';
    v_drafts := array(
        select l from gateway.fn_draft_lines(p_customer_hk, p_customer, p_month, p_usage, p_known_at) as l
    );
    if p_skips_empty and cardinality(v_drafts) = 0 then
        return;
    end if;
    select b.* into strict v_billing from gateway.fn_read_billing(p_customer_hk, v_last_day) as b;
    v_invoice.invoice_kind := 'INVOICE';
    v_invoice.invoice_status := 'DRAFT';
    v_invoice.billing_period := p_month;
    v_invoice.legal_entity_hk := v_billing.legal_entity_hk;
    v_invoice.known_at := v_known_at;
    v_invoice.lines_load_date := v_known_at;
    v_invoice.currency := v_billing.currency;
    v_invoice.units_per_usd := v_billing.units_per_usd;
    v_invoice.rate_date := v_billing.rate_date;
    v_invoice.decimals := v_billing.decimals;
    v_invoice.seller := v_billing.seller;
    v_invoice.buyer := v_billing.buyer;
    v_invoice.exact_usd := 0;
    v_invoice.subtotal := 0;
    v_invoice.tax_total := 0;
    v_invoice.credited := 0;
    v_invoice.prepaid_applied := 0;
    v_invoice.paid := 0;

    foreach v_line in array v_drafts loop
        v_number := v_number + 1::smallint;
        v_line.line_number := v_number;
        v_line.exact := round(v_line.exact_usd * v_billing.units_per_usd, 10);
        v_line.amount := util.fn_round_half_even(v_line.exact, v_billing.decimals);
        v_line.remainder := v_line.exact - v_line.amount;
        v_invoice.exact_usd := v_invoice.exact_usd + v_line.exact_usd;
        v_invoice.subtotal := v_invoice.subtotal + v_line.amount;
        lines := lines || v_line;
    end loop;

    if v_billing.tax_percent > 0 then
        v_line := null;
        v_line.line_number := v_number + 1::smallint;
        v_line.customer_hk := p_customer_hk;
        v_line.line_kind := 'TAX';
        v_line.description := v_billing.tax_description;
        v_line.tax_percent := v_billing.tax_percent;
        v_line.exact := round(v_invoice.subtotal * v_billing.tax_percent / 100, 10);
        v_line.exact_usd := round(v_line.exact / v_billing.units_per_usd, 10);
        v_line.amount := util.fn_round_half_even(v_line.exact, v_billing.decimals);
        v_line.remainder := v_line.exact - v_line.amount;
        v_invoice.tax_total := v_line.amount;
        lines := lines || v_line;
    end if;
    v_invoice.total := v_invoice.subtotal + v_invoice.tax_total;
    v_invoice.usage := (
        select jsonb_build_object(
            'requests', coalesce(sum(u.requests), 0), 'total_tokens', coalesce(sum(u.total_tokens), 0),
            'provider_cost_usd', trim_scale(coalesce(sum(u.provider_cost_usd), 0))::text,
            'markup_usd', trim_scale(coalesce(sum(u.markup_usd), 0))::text,
            'charges_usd', trim_scale(coalesce(sum(u.charge_usd), 0))::text,
            'own_key_cost_usd', trim_scale(coalesce(sum(u.own_key_cost_usd), 0))::text
        )
        from gateway.fn_unpack_usage(p_usage) as u
        where u.usage_month = p_month
    );
    invoice := v_invoice;
    billing := jsonb_build_object(
        'invoice_prefix', v_billing.invoice_prefix, 'payment_days', v_billing.payment_days,
        'is_prepaid', v_billing.is_prepaid
    );
end
$$;

comment on function gateway.fn_make_invoice(bytea, text, date, timestamptz, jsonb, boolean) is
'A month''s invoice as it stands now (NULL) or was known: its row, its lines, and how it is to be numbered and paid; if
asked to, nothing but no lines where there are none. Writes nothing; usage is what fn_pack_usage packed.';
