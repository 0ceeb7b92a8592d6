create or replace function gateway.fn_note_billing_status(p_customer_hk bytea, p_month date, p_status text) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_hk bytea := (
        select h.spending_hk
        from gateway.customer_spending_h as h
        inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
        where
            h.customer_hk = p_customer_hk
            and h.spending_hk = util.hash_key(c.customer_bk, to_char(p_month::timestamp, 'YYYY-MM'))
    );
begin
    if v_hk is not null then
        perform util.fn_load_satellite(
            'gateway.customer_spending_s', jsonb_build_object('spending_hk', v_hk),
            jsonb_build_object('billing_status', p_status), 'billing'
        );
    end if;
end
$$;

comment on function gateway.fn_note_billing_status(bytea, date, text) is
'Notes in a month''s spending whether it is PENDING, BILLED or PAID.';
