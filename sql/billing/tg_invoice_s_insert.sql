-- The states of an invoice and the only ways between them: a draft is made anew or final, what is final is paid or
-- void, and nothing that stands on it changes any more.
create or replace function gateway.tg_invoice_s_insert() returns trigger
language plpgsql
set search_path = ''
as $$
declare
    v_before gateway.invoice_s;
begin
    select s.* into v_before
    from gateway.invoice_s as s
    where s.invoice_hk = new.invoice_hk
    order by s.load_date desc
    limit 1;
    if v_before.invoice_status is null or v_before.invoice_status = 'DRAFT' then
        return new;
    end if;
    if
        v_before.invoice_status || '>' || new.invoice_status not in ('FINAL>FINAL', 'FINAL>PAID', 'FINAL>VOID', 'PAID>VOID')
    then
        raise exception using
            errcode = 'VG409', constraint = 'invoices_walk_one_way',
            message = format('The invoice %s is %s and cannot become %s', v_before.invoice_number,
                lower(v_before.invoice_status), lower(new.invoice_status)),
            hint = 'What is final is paid or void; correct it by a credit note.';
    end if;
    if
        (new.invoice_number, new.total, new.subtotal, new.lines_load_date, new.issued_on, new.currency, new.billing_period)
        is distinct from (
            v_before.invoice_number, v_before.total, v_before.subtotal, v_before.lines_load_date, v_before.issued_on,
            v_before.currency, v_before.billing_period
        )
    then
        raise exception using
            errcode = 'VG409', constraint = 'final_invoices_stay',
            message = format('The invoice %s is final: what stands on it does not change', v_before.invoice_number),
            hint = 'Correct it by a credit note.';
    end if;
    return new;
end
$$;

comment on function gateway.tg_invoice_s_insert() is
'Refuses a state that does not follow, and changes of what is final.';

create or replace trigger invoice_s_walks_one_way before insert on gateway.invoice_s
for each row execute function gateway.tg_invoice_s_insert();
