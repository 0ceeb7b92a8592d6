-- What a void invoice billed is unbilled again: its entries are reversed one by one, and the next invoice holds it, or
-- another one of the same month, made out at once. Its credit notes go with it: they gave back what is not billed any
-- more, and of what takes its place as much could be given back again.
create or replace function admin.void_invoice(p_invoice_number text, p_reason text, p_reissue boolean default false)
returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_found record;
    v_customer record;
    v_entry record;
    v_note text;
    v_hk bytea;
    v_hks bytea[];
begin
    perform set_config('synchronous_commit', 'on', true);
    perform pg_advisory_xact_lock(hashtextextended('onevault close of a month', 0));
    select f.* into v_found from gateway.fn_find_invoice(p_invoice_number) as f;
    v_hks := v_found.hk || array(
        select h.invoice_hk
        from gateway.invoice_h as h
        where h.invoice_hk in (
            select s.invoice_hk from gateway.invoice_s as s
            where s.refers_to_hk = v_found.hk and s.load_end_date is null and s.invoice_status <> 'VOID'
        )
        order by h.invoice_hk
        for update
    );
    v_note := (
        select min(s.invoice_number)
        from gateway.invoice_s as s
        where s.refers_to_hk = v_found.hk and s.load_end_date is null and s.paid <> 0
    );
    -- What credits alone have paid goes back to them.
    if
        (v_found.invoice).invoice_kind <> 'INVOICE' or (v_found.invoice).invoice_status not in ('FINAL', 'PAID')
        or (v_found.invoice).paid <> 0 or v_note is not null
    then
        perform admin.fn_refuse_change(
            409, 'only_unpaid_invoices_are_voided',
            format('%s is %s', coalesce(v_note, (v_found.invoice).invoice_number), case
                when v_note is not null then 'refunded, at least in part'
                when (v_found.invoice).paid <> 0 then 'paid, at least in part'
                else lower((v_found.invoice).invoice_status) end),
            'Issue a credit note instead.'
        );
    end if;
    if coalesce(btrim(p_reason), '') = '' then
        perform admin.fn_refuse_change(400, 'voiding_has_a_reason', 'Why is it void?', 'Say so in p_reason.');
    end if;
    -- The next invoice looks for what came late in the two months before its own.
    if not p_reissue and exists (
        select from gateway.invoice_h as h
        inner join gateway.month_close_s as m on h.tenant_hk = m.tenant_hk
        where
            h.invoice_hk = v_found.hk
            and m.billing_period > (v_found.invoice).billing_period + interval '1 month'
    ) then
        perform admin.fn_refuse_change(
            409, 'old_invoices_are_made_out_again',
            format('%s is too old for the next invoice to hold what it billed', (v_found.invoice).invoice_number),
            'Make out another one in its place: p_reissue => true.'
        );
    end if;
    select h.customer_hk, c.customer_bk::text as name, n.tenant_bk::text as tenant into v_customer
    from gateway.invoice_h as h
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    where h.invoice_hk = v_found.hk;
    for v_entry in
        select
            e.ledger_entry_hk, e.entry_kind, h.ledger_entry_bk, e.billing_period, e.invoice_hk,
            jsonb_agg(jsonb_build_object(
                'account', p.account, 'amount_usd', -p.amount_usd, 'credit', encode(p.credit_hk, 'hex')
            ) order by p.posting_number) as postings
        from gateway.ledger_entry_s as e
        inner join gateway.ledger_entry_h as h on e.ledger_entry_hk = h.ledger_entry_hk
        inner join gateway.ledger_posting_s as p on e.ledger_entry_hk = p.ledger_entry_hk
        where e.invoice_hk = any(v_hks)
        group by e.ledger_entry_hk, e.entry_kind, h.ledger_entry_bk, e.billing_period, e.invoice_hk
        order by e.ledger_entry_hk
    loop
        perform gateway.fn_post_entry(
            v_customer.customer_hk, 'VOID_' || v_entry.entry_kind, 'void:' || v_entry.ledger_entry_bk, v_entry.postings,
            v_entry.billing_period, p_reason, v_entry.ledger_entry_hk, v_entry.invoice_hk
        );
    end loop;
    perform gateway.fn_load_invoice(h.hk, '{"invoice_status": "VOID", "credited": 0, "prepaid_applied": 0}')
    from unnest(v_hks) as h (hk);
    if not p_reissue then
        perform gateway.fn_note_billing_status(v_customer.customer_hk, (v_found.invoice).billing_period, 'PENDING');
        return 'void';
    end if;
    perform set_config('onevault.tenant', v_customer.tenant, true);
    v_hk := gateway.fn_bill_month(
        v_customer.customer_hk, v_customer.name, (v_found.invoice).billing_period, true,
        gateway.fn_pack_usage(v_customer.name, (v_found.invoice).billing_period), gateway.fn_measure_savings(
            v_customer.tenant, (v_found.invoice).billing_period, gateway.fn_find_zone(v_customer.customer_hk), v_customer.name
        )
    );
    perform gateway.fn_note_spending(array[v_hk]);
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    return coalesce((
        select 'void, in its place ' || s.invoice_number
        from gateway.invoice_s as s
        where s.invoice_hk = v_hk and s.load_end_date is null
    ), 'void');
end
$$;

comment on function admin.void_invoice(text, text, boolean) is
'Makes an unpaid invoice void and, with p_reissue, makes out another one of the same month; says what came of it.';
