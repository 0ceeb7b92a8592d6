-- One customer's month: made out, numbered, posted, paid from credit. Nothing happens for a month without lines, but
-- that a draft of it ends, or whose invoice is final already.
create or replace function gateway.fn_bill_month(
    p_customer_hk bytea, p_customer text, p_month date, p_finalise boolean, p_usage jsonb, p_savings jsonb
) returns bytea
language plpgsql
set search_path = ''
as $$
declare
    v_made record;
    v_invoice gateway.invoice_s;
    v_hk bytea;
    v_sums record;
begin
    select h.invoice_hk into v_hk
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    where
        h.customer_hk = p_customer_hk and s.billing_period = p_month and s.invoice_kind = 'INVOICE'
        and s.invoice_status in ('FINAL', 'PAID');
    if found then
        return v_hk;
    end if;
    if p_finalise then
        -- Nobody else takes from his credits meanwhile.
        perform from gateway.customer_h as h where h.customer_hk = p_customer_hk for no key update;
    end if;
    select m.* into v_made
    from gateway.fn_make_invoice(
        p_customer_hk, p_customer, p_month, null, p_usage, true
    ) as m;
    if cardinality(v_made.lines) = 0 then
        update gateway.invoice_s as s set load_end_date = clock_timestamp()
        from gateway.invoice_h as h
        where
            h.customer_hk = p_customer_hk and s.invoice_hk = h.invoice_hk and s.load_end_date is null
            and s.billing_period = p_month and s.invoice_status = 'DRAFT';
        return null;
    end if;
    if not p_finalise then
        return gateway.fn_store_invoice(p_customer_hk, v_made.invoice, v_made.lines);
    end if;
    v_invoice := v_made.invoice;
    v_invoice.usage := v_invoice.usage || jsonb_build_object('saved_usd', p_savings -> p_customer);
    v_hk := gateway.fn_store_invoice(
        p_customer_hk, v_invoice, v_made.lines, v_made.billing ->> 'invoice_prefix',
        (v_made.billing ->> 'payment_days')::integer
    );
    perform gateway.fn_post_invoice(v_hk);
    select
        greatest(least(
            coalesce(-sum(l.exact_usd) filter (where l.line_kind = 'INCLUDED' and l.usage_period = p_month), 0),
            sum(l.exact_usd) filter (where l.line_kind = 'USAGE')
        ), 0) as included,
        coalesce(sum(l.exact_usd) filter (where l.line_kind in ('SERVICE', 'INCLUDED', 'ADJUSTMENT')), 0) as undated,
        coalesce(jsonb_agg(jsonb_build_object('credit', encode(l.credit_hk, 'hex'), 'usd', -l.exact_usd)
            order by l.line_number) filter (where l.line_kind = 'PROMOTION'), '[]') as promotions
    into v_sums
    from unnest(v_made.lines) as l;
    perform gateway.fn_settle_by_credit(v_hk, gateway.fn_take_promotions(gateway.fn_list_daily_charges(
        p_customer_hk, p_customer, p_month, v_sums.included, v_sums.undated + v_sums.included
    ), v_sums.promotions));
    return v_hk;
end
$$;

comment on function gateway.fn_bill_month(bytea, text, date, boolean, jsonb, jsonb) is
'Makes out a customer''s invoice of a month, as a draft or final; NULL if there is nothing to bill. The caller names the
tenant by onevault.tenant.';
