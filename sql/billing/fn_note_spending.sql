-- What invoices say becomes the spending of their months, all of it at once: the lock for each key that one by one
-- would take fills the lock table.
create or replace function gateway.fn_note_spending(p_invoices bytea[]) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_rows jsonb;
begin
    insert into gateway.customer_spending_h (spending_hk, spending_bk, customer_hk, record_source)
    select
        util.hash_key(c.customer_bk, to_char(s.billing_period::timestamp, 'YYYY-MM')),
        c.customer_bk || '|' || to_char(s.billing_period::timestamp, 'YYYY-MM'), c.customer_hk, 'close'
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    where h.invoice_hk = any(p_invoices)
    on conflict do nothing;

    select jsonb_agg(jsonb_build_object(
        'spending_hk', util.hash_key(c.customer_bk, to_char(s.billing_period::timestamp, 'YYYY-MM')),
        'billing_period', s.billing_period, 'total_requests', (s.usage ->> 'requests')::bigint,
        'total_tokens', (s.usage ->> 'total_tokens')::bigint,
        'total_provider_cost', (s.usage ->> 'provider_cost_usd')::numeric,
        'total_gateway_revenue', (s.usage ->> 'markup_usd')::numeric,
        'total_customer_charges', (s.usage ->> 'charges_usd')::numeric,
        'cost_by_provider', coalesce(l.by_provider, '{}'), 'cost_by_model', coalesce(l.by_model, '{}'),
        'overage_charges', case when l.included_usd > 0 then l.used_usd - l.included_usd else 0 end,
        'credits_applied', coalesce(l.promotion_usd, 0) + coalesce(p.prepaid_usd, 0),
        'billing_status', case s.invoice_status when 'PAID' then 'PAID' else 'BILLED' end
    )) into v_rows
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    cross join lateral (
        select
            sum(b.usd) filter (
                where b.line_kind in ('USAGE', 'ADJUSTMENT') and b.by is null and b.usage_period = s.billing_period
            ) as used_usd,
            -sum(b.usd) filter (
                where b.line_kind = 'INCLUDED' and b.by is null and b.usage_period = s.billing_period
            ) as included_usd,
            -sum(b.usd) filter (where b.line_kind = 'PROMOTION' and b.by is null) as promotion_usd,
            jsonb_object_agg(b.name, trim_scale(b.usd)) filter (where b.by = 'provider') as by_provider,
            jsonb_object_agg(b.name, trim_scale(b.usd)) filter (where b.by = 'model') as by_model
        from (
            select k.line_kind, k.usage_period, n.by, n.name, sum(k.exact_usd) as usd
            from gateway.invoice_line_s as k
            cross join lateral (
                values (null, null), ('provider', k.provider::text), ('model', k.model::text)
            ) as n (by, name)
            where
                k.invoice_hk = h.invoice_hk and k.load_date = s.lines_load_date
                and (n.by is null or k.line_kind = 'USAGE' and n.name is not null)
            group by k.line_kind, k.usage_period, n.by, n.name
        ) as b
    ) as l
    cross join lateral (
        select sum(g.amount_usd) as prepaid_usd
        from gateway.ledger_entry_s as e
        inner join gateway.ledger_posting_s as g on e.ledger_entry_hk = g.ledger_entry_hk
        where e.invoice_hk = h.invoice_hk and e.entry_kind = 'PREPAID' and g.account = 'prepaid'
    ) as p
    where h.invoice_hk = any(p_invoices) and s.invoice_status in ('FINAL', 'PAID');
    if v_rows is not null then
        perform util.fn_load_satellites('gateway.customer_spending_s', '{spending_hk}', v_rows, 'close');
    end if;
end
$$;

comment on function gateway.fn_note_spending(bytea[]) is
'Notes in the spending of their months what these invoices say: sums, what was above plans, credits, and that it is
BILLED or PAID.';
