-- The one writer of the ledger. What an entry is called makes it happen once: posted again it is the same entry, and
-- says nothing. An entry that does not balance cannot be written. What a prepaid customer may use follows it at once;
-- who posts to many sets onevault.refresh_prepaid to later, and calls gateway.fn_refresh_prepaids() at the end.
create or replace function gateway.fn_post_entry(
    p_customer_hk bytea, p_kind text, p_bk text, p_postings jsonb, p_period date default null, p_memo text default null,
    p_refers_to bytea default null, p_invoice bytea default null
) returns bytea
language plpgsql
set search_path = ''
as $$
declare
    v_entry_hk bytea := uuid_send(uuidv7());
    v_sum numeric;
    v_known bytea;
begin
    select sum((p.posting ->> 'amount_usd')::numeric) into v_sum from jsonb_array_elements(p_postings) as p (posting);
    if v_sum is distinct from 0 then
        raise exception using
            errcode = 'VG500', constraint = 'entries_balance',
            message = format('The postings of %s come to %s USD', quote_literal(p_bk), coalesce(v_sum::text, 'nothing')),
            hint = 'What is debited to one account is credited to another.';
    end if;
    insert into gateway.ledger_entry_h (
        ledger_entry_hk, ledger_entry_bk, customer_hk, tenant_hk, load_date, record_source
    )
    select v_entry_hk, p_bk, h.customer_hk, h.tenant_hk, util.current_load_date(), session_user
    from gateway.customer_h as h
    where h.customer_hk = p_customer_hk
    on conflict (ledger_entry_bk) do nothing;
    if not found then
        select h.ledger_entry_hk into strict v_known
        from gateway.ledger_entry_h as h
        where h.ledger_entry_bk = p_bk and h.customer_hk = p_customer_hk;
        return v_known;
    end if;
    insert into gateway.ledger_entry_s (
        ledger_entry_hk, customer_hk, hash_diff, entry_kind, billing_period, invoice_hk, refers_to_hk, memo, record_source
    ) values (
        v_entry_hk, p_customer_hk, sha256(convert_to(p_kind || p_postings::text, 'UTF8')), p_kind, p_period, p_invoice,
        p_refers_to, p_memo, session_user
    );
    insert into gateway.ledger_posting_s (
        ledger_entry_hk, posting_number, customer_hk, account, amount_usd, credit_hk, record_source
    )
    select
        v_entry_hk, p.number, p_customer_hk, p.posting ->> 'account', (p.posting ->> 'amount_usd')::numeric,
        decode(p.posting ->> 'credit', 'hex'), session_user
    from jsonb_array_elements(p_postings) with ordinality as p (posting, number)
    where (p.posting ->> 'amount_usd')::numeric <> 0;
    if current_setting('onevault.refresh_prepaid', true) is distinct from 'later' then
        perform gateway.fn_refresh_prepaid(p_customer_hk);
    end if;
    return v_entry_hk;
end
$$;

comment on function gateway.fn_post_entry(bytea, text, text, jsonb, date, text, bytea, bytea) is
'Writes an entry of the ledger once and gives its key. Postings are [{"account", "amount_usd", "credit"}]: debits above
0, credits below, together 0; "credit" is a credit''s key in hex.';
