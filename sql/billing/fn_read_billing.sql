-- Who bills this customer and how: what his profile says, and where it says nothing the seller. Rates of taxes and
-- currencies are those of the day; one that is missing refuses, and never counts as zero or one.
create or replace function gateway.fn_read_billing(p_customer_hk bytea, p_day date)
returns table (
    legal_entity_hk bytea, seller jsonb, buyer jsonb, invoice_prefix text, currency text, decimals smallint,
    units_per_usd numeric, rate_date date, payment_days smallint, tax text, tax_percent numeric, tax_description text,
    is_prepaid boolean
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_customer text := (select h.customer_bk from gateway.customer_h as h where h.customer_hk = p_customer_hk);
    v_profile gateway.customer_billing_s;
    v_seller gateway.legal_entity_s;
begin
    select s.* into v_profile
    from gateway.customer_billing_s as s
    where s.customer_hk = p_customer_hk and s.load_end_date is null;
    select s.* into v_seller
    from gateway.legal_entity_s as s
    where
        s.load_end_date is null
        and case when v_profile.legal_entity_hk is null then s.is_default else s.legal_entity_hk = v_profile.legal_entity_hk end;
    if v_customer is null or v_seller.legal_entity_hk is null then
        raise exception using
            errcode = 'VG409', constraint = 'somebody_sells',
            message = format('Nobody bills the customer %s', quote_literal(coalesce(v_customer, ''))),
            hint = 'Insert a seller into admin.legal_entity; the first is the default.';
    end if;
    legal_entity_hk := v_seller.legal_entity_hk;
    seller := jsonb_build_object(
        'legal_name', v_seller.legal_name, 'address', to_jsonb(v_seller.address), 'tax_number', v_seller.tax_number,
        'email', v_seller.email, 'payment_instructions', to_jsonb(v_seller.payment_instructions)
    );
    buyer := jsonb_build_object(
        'legal_name', coalesce(v_profile.legal_name, v_customer), 'address', to_jsonb(coalesce(v_profile.address, '{}')),
        'tax_number', v_profile.tax_number, 'email', v_profile.email
    );
    invoice_prefix := v_seller.invoice_prefix;
    currency := coalesce(v_profile.currency, v_seller.currency);
    decimals := gateway.fn_count_decimals(currency);
    payment_days := coalesce(v_profile.payment_days, v_seller.payment_days);
    is_prepaid := coalesce(v_profile.is_prepaid, false);

    units_per_usd := 1;
    if currency <> 'USD' then
        select trim_scale(s.units_per_usd), s.rate_date into units_per_usd, rate_date
        from gateway.currency_h as h
        inner join gateway.exchange_rate_s as s on h.currency_hk = s.currency_hk and s.load_end_date is null
        where h.currency_bk = currency and s.rate_date <= p_day
        order by s.rate_date desc
        limit 1;
    end if;
    if units_per_usd is null then
        raise exception using
            errcode = 'VG409', constraint = 'currency_has_a_rate',
            message = format('The customer %s is billed in %s, which has no rate for %s', quote_literal(v_customer), currency, p_day),
            hint = format(
                'insert into admin.exchange_rate (currency, rate_date, units_per_usd) values (%L, %L, …);', currency, p_day
            );
    end if;

    if v_profile.tax_hk is not null then
        select h.tax_bk, trim_scale(s.tax_percent), s.description into tax, tax_percent, tax_description
        from gateway.tax_h as h
        left join gateway.tax_rate_s as s
            on h.tax_hk = s.tax_hk and s.load_end_date is null and s.valid_from <= p_day and s.valid_to > p_day
        where h.tax_hk = v_profile.tax_hk;
        if tax_percent is null then
            raise exception using
                errcode = 'VG409', constraint = 'tax_has_a_rate',
                message = format('The customer %s pays the tax %s, which has no rate for %s', quote_literal(v_customer),
                    quote_literal(tax), p_day),
                hint = format(
                    'insert into admin.tax_rate (tax, valid_from, tax_percent, description) values (%L, %L, …);', tax, p_day
                );
        end if;
    end if;
    return next;
end
$$;

comment on function gateway.fn_read_billing(bytea, date) is
'Seller, buyer, currency, rate, tax and terms of a customer on a day, one row; refuses (VG409) where a rate is missing.
He may be deleted, or have no profile.';
