-- The one shape of an invoice outside of the tables: what the command line prints, what the API tells. Amounts are
-- texts with the currency's decimals, so that no reader makes floats of them.
create or replace function gateway.fn_write_document(
    p_invoice gateway.invoice_s, p_lines gateway.invoice_line_s[], p_tenant text, p_customer text,
    p_refers_to text default null
) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_build_object(
        'object', 'invoice', 'kind', p_invoice.invoice_kind, 'invoice_number', p_invoice.invoice_number,
        'status', lower(p_invoice.invoice_status), 'tenant', p_tenant, 'customer', p_customer,
        'period', to_char(p_invoice.billing_period::timestamp, 'YYYY-MM'), 'period_from', p_invoice.billing_period,
        'period_to', (p_invoice.billing_period + interval '1 month')::date - 1, 'issued_on', p_invoice.issued_on,
        'due_on', p_invoice.due_on,
        'known_at', to_char(p_invoice.known_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'refers_to', p_refers_to, 'seller', p_invoice.seller, 'buyer', p_invoice.buyer, 'currency', p_invoice.currency,
        'units_per_usd', trim_scale(p_invoice.units_per_usd)::text, 'rate_date', p_invoice.rate_date
    ) || jsonb_build_object(
        'usage', nullif(p_invoice.usage, '{}'), 'exact_usd', trim_scale(p_invoice.exact_usd)::text,
        'subtotal', round(p_invoice.subtotal, p_invoice.decimals)::text,
        'tax_total', round(p_invoice.tax_total, p_invoice.decimals)::text,
        'total', round(p_invoice.total, p_invoice.decimals)::text,
        'credited', round(p_invoice.credited, p_invoice.decimals)::text,
        'prepaid_applied', round(p_invoice.prepaid_applied, p_invoice.decimals)::text,
        'paid', round(p_invoice.paid, p_invoice.decimals)::text,
        'due', round(
            p_invoice.total - p_invoice.credited - p_invoice.prepaid_applied - p_invoice.paid, p_invoice.decimals
        )::text,
        'lines', coalesce(jsonb_agg(jsonb_build_object(
            'number', l.line_number, 'kind', l.line_kind, 'description', l.description, 'provider', l.provider,
            'model', l.model, 'plan', l.plan, 'days', l.days, 'tax_percent', trim_scale(l.tax_percent)::text,
            'requests', l.requests, 'input_tokens', l.input_tokens, 'cache_read_tokens', l.cache_read_tokens,
            'cache_write_tokens', l.cache_write_tokens, 'output_tokens', l.output_tokens,
            'total_tokens', l.total_tokens, 'provider_cost_usd', trim_scale(l.provider_cost_usd)::text,
            'markup_usd', trim_scale(l.markup_usd)::text, 'exact_usd', trim_scale(l.exact_usd)::text,
            'amount', round(l.amount, p_invoice.decimals)::text, 'remainder_usd',
            trim_scale(round(l.remainder / p_invoice.units_per_usd, 10))::text
        ) order by l.line_number), '[]')
    )
    from unnest(p_lines) as l;
end;

comment on function gateway.fn_write_document(gateway.invoice_s, gateway.invoice_line_s[], text, text, text) is
'An invoice with its lines as JSON.';
