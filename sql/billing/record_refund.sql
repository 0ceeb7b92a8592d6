-- Money goes back to a customer who has paid too much, as after a credit note.
create or replace function admin.record_refund(p_customer text, p_amount_usd numeric, p_reference text) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := (select h.customer_hk from gateway.customer_h as h where h.customer_hk = util.hash_key(p_customer));
    v_owed numeric;
    v_bk text := 'refund:' || btrim(p_reference);
    v_known record;
begin
    perform set_config('synchronous_commit', 'on', true);
    -- Before the customer, as who makes them void.
    perform from gateway.invoice_h as h
    where h.customer_hk = v_customer_hk and exists (
        select from gateway.invoice_s as s
        where
            s.invoice_hk = h.invoice_hk and s.load_end_date is null and s.invoice_status = 'FINAL'
            and s.total < s.credited + s.prepaid_applied + s.paid
    )
    order by h.invoice_hk
    for update;
    perform from gateway.customer_h as h where h.customer_hk = v_customer_hk for update;
    if not found then
        perform admin.fn_refuse_change(
            404, 'customer_exists', format('There is no customer %s', quote_literal(coalesce(p_customer, ''))),
            'Look into admin.customer_history.'
        );
    end if;
    if coalesce(btrim(p_reference), '') = '' then
        perform admin.fn_refuse_change(
            400, 'refunds_have_a_reference', 'A refund needs a reference', 'Use what the bank statement says.'
        );
    end if;
    perform admin.fn_lock_name('refund', btrim(p_reference));
    select c.customer_hk, c.customer_bk::text as customer, trim_scale(-sum(p.amount_usd)) as amount_usd into v_known
    from gateway.ledger_entry_h as f
    inner join gateway.customer_h as c on f.customer_hk = c.customer_hk
    inner join gateway.ledger_entry_h as h on f.customer_hk = h.customer_hk
    inner join gateway.ledger_entry_s as e on h.ledger_entry_hk = e.ledger_entry_hk
    inner join gateway.ledger_posting_s as p on h.ledger_entry_hk = p.ledger_entry_hk and p.account = 'cash'
    where
        f.ledger_entry_bk = v_bk and f.ledger_entry_hk in (h.ledger_entry_hk, e.refers_to_hk) and e.entry_kind = 'REFUND'
    group by c.customer_hk, c.customer_bk;
    if v_known.customer_hk = v_customer_hk and v_known.amount_usd = round(p_amount_usd, 10) then
        return 'it is recorded already';
    elsif v_known.customer_hk is not null then
        perform admin.fn_refuse_change(
            409, 'references_are_used_once', format('%s is the reference of another refund, of %s USD to %s',
                quote_literal(btrim(p_reference)), v_known.amount_usd, v_known.customer),
            'Add what tells them apart, as the name of the customer.'
        );
    end if;
    select -coalesce(sum(p.amount_usd), 0) into v_owed
    from gateway.ledger_posting_s as p
    where p.customer_hk = v_customer_hk and p.account = 'receivable';
    if p_amount_usd is null or p_amount_usd <= 0 or p_amount_usd > v_owed then
        perform admin.fn_refuse_change(
            409, 'refunds_give_back_what_is_too_much',
            format('%s has %s USD too much with us', p_customer, greatest(trim_scale(v_owed), 0)),
            'Issue a credit note first.'
        );
    end if;
    perform gateway.fn_post_refund(v_customer_hk, round(p_amount_usd, 10), v_bk, p_reference);
    return 'refunded';
end
$$;

comment on function admin.record_refund(text, numeric, text) is
'Records money that went back to a customer, once per reference; no more than he has too much.';
