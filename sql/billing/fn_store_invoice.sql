-- A draft replaces the draft before it. The number is taken last and in the same transaction: the seller's counter is
-- one row, which is locked until commit, so a number is neither lost nor given twice.
create or replace function gateway.fn_store_invoice(
    p_customer_hk bytea, p_invoice gateway.invoice_s, p_lines gateway.invoice_line_s[], p_prefix text default null,
    p_payment_days integer default null
) returns bytea
language plpgsql
set search_path = ''
as $$
declare
    v_customer record;
    v_bk text;
    v_hk bytea;
    v_document jsonb := to_jsonb(p_invoice);
    v_is_note boolean := p_invoice.invoice_kind = 'CREDIT_NOTE';
    v_issued date;
    v_number bigint;
    v_series text;
begin
    select h.customer_bk::text as name, h.tenant_hk, t.time_zone into v_customer
    from gateway.customer_h as h
    inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk
    where h.customer_hk = p_customer_hk
    order by t.load_date desc
    limit 1;
    -- Another one of the same month follows only one that is void.
    select
        concat_ws(
            '|', v_customer.name, to_char(p_invoice.billing_period::timestamp, 'YYYY-MM'),
            case when v_is_note then 'note' end, 1 + count(*)
        )
    into v_bk
    from gateway.invoice_h as h
    inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    where
        h.customer_hk = p_customer_hk and s.billing_period = p_invoice.billing_period
        and s.invoice_kind = p_invoice.invoice_kind and (v_is_note or s.invoice_status = 'VOID');
    v_hk := util.hash_key(v_bk);
    perform util.fn_load_hub('gateway.invoice_h', v_hk, v_bk, session_user, jsonb_build_object(
        'customer_hk', p_customer_hk, 'tenant_hk', v_customer.tenant_hk
    ));
    insert into gateway.invoice_line_s
    select (jsonb_populate_record(l, jsonb_build_object(
        'invoice_hk', v_hk, 'load_date', p_invoice.lines_load_date, 'tenant_hk', v_customer.tenant_hk,
        'record_source', session_user
    ))).*
    from unnest(p_lines) as l;
    if p_prefix is not null then
        v_issued := (p_invoice.known_at at time zone v_customer.time_zone)::date;
        v_series := case when v_is_note then 'CN-' else '' end || to_char(v_issued::timestamp, 'YYYY');
        insert into gateway.invoice_counter as c (legal_entity_hk, series, last_number)
        values (p_invoice.legal_entity_hk, v_series, 1)
        on conflict (legal_entity_hk, series) do update set last_number = c.last_number + 1
        returning c.last_number into v_number;
        v_document := v_document || jsonb_build_object(
            'invoice_status', 'FINAL', 'issued_on', v_issued, 'due_on', v_issued + p_payment_days,
            'invoice_number', concat_ws('-', p_prefix, v_series, lpad(v_number::text, 6, '0'))
        );
    end if;
    perform gateway.fn_load_invoice(
        v_hk, v_document
        - '{invoice_hk,load_date,load_end_date,hash_diff,record_source,change_reason,ended_by,end_reason}'::text[]
    );
    return v_hk;
end
$$;

comment on function gateway.fn_store_invoice(bytea, gateway.invoice_s, gateway.invoice_line_s[], text, integer) is
'Keeps an invoice and its lines: as a draft, or with a prefix as final under the next number; gives its key.';
