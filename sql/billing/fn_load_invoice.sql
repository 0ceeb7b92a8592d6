-- As util.fn_load_satellite, with the invoice's own row as the lock: a close loads thousands, and a lock for each key
-- would fill the lock table.
create or replace function gateway.fn_load_invoice(p_invoice_hk bytea, p_document jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_before gateway.invoice_s;
    v_after gateway.invoice_s;
begin
    perform from gateway.invoice_h as h where h.invoice_hk = p_invoice_hk for update;
    select s.* into v_before from gateway.invoice_s as s where s.invoice_hk = p_invoice_hk and s.load_end_date is null;
    v_after := jsonb_populate_record(v_before, p_document || jsonb_build_object(
        'invoice_hk', p_invoice_hk, 'load_date',
        greatest(clock_timestamp(), v_before.load_date + interval '1 microsecond'), 'load_end_date', null,
        'record_source', session_user, 'change_reason', util.fn_change_reason()
    ));
    v_after.hash_diff := sha256(convert_to((
        to_jsonb(v_after) - '{load_date,load_end_date,hash_diff,record_source,change_reason,ended_by,end_reason}'::text[]
    )::text, 'UTF8'));
    if v_after.hash_diff = v_before.hash_diff then
        return;
    end if;
    update gateway.invoice_s as s set load_end_date = v_after.load_date
    where s.invoice_hk = p_invoice_hk and s.load_end_date is null;
    insert into gateway.invoice_s select v_after.*;
end
$$;

comment on function gateway.fn_load_invoice(bytea, jsonb) is
'Another state of an invoice, or its first: columns that are not given stay as they were.';
