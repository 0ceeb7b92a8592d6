-- The reference names the credit, and so makes it happen once.
create or replace function admin.top_up(
    p_customer text, p_amount_usd numeric, p_reference text, p_expires_on date default 'infinity'
) returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer record;
    v_known record;
begin
    if coalesce(btrim(p_reference), '') = '' then
        perform admin.fn_refuse_change(
            400, 'payments_have_a_reference', 'A payment needs a reference', 'Use what the bank statement says.'
        );
    end if;
    select h.customer_bk::text as name into v_customer
    from gateway.customer_h as h
    where h.customer_hk = admin.fn_find_customer(p_customer);
    perform admin.fn_lock_name('credit', v_customer.name);
    select s.credit_kind, trim_scale(s.amount_usd) as amount_usd into v_known
    from gateway.credit_s as s
    where s.credit_hk = util.hash_key(v_customer.name, p_reference)
    order by s.load_date desc
    limit 1;
    if v_known.credit_kind = 'PREPAID' and v_known.amount_usd = p_amount_usd then
        return 'it is recorded already';
    elsif v_known.credit_kind is not null then
        perform admin.fn_refuse_change(
            409, 'references_are_used_once', format('%s is the reference of another payment, of %s USD',
                quote_literal(p_reference), v_known.amount_usd), 'Use what the bank statement says of this one.'
        );
    end if;
    insert into admin.credit (customer, credit, credit_kind, amount_usd, expires_on)
    values (v_customer.name, p_reference, 'PREPAID', p_amount_usd, p_expires_on);
    return 'topped up';
end
$$;

comment on function admin.top_up(text, numeric, text, date) is
'Records what a customer has paid ahead, as a prepaid credit, once per reference.';
