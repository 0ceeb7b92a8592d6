begin;
select plan(12);
select test.make_customer('plain');
select test.make_customer('buyer');
create temporary view billed as
select c.customer_bk as customer, d.day::date as day, b.*
from gateway.customer_h as c
cross join generate_series('2026-01-01'::timestamp, '2026-03-01', '1 month') as d (day)
cross join lateral gateway.fn_read_billing(c.customer_hk, d.day::date) as b;
select results_eq(
    $$select b.seller, b.buyer, b.invoice_prefix, b.currency, b.decimals, b.units_per_usd, b.rate_date, b.payment_days, b.tax, b.tax_percent,
        b.tax_description, b.is_prepaid from billed as b where b.customer = 'plain' and b.day = '2026-01-01'$$,
    $$values (
        '{"legal_name": "OneVault AI Gateway", "address": [], "tax_number": null, "email": null, "payment_instructions": []}'::jsonb,
        '{"legal_name": "plain", "address": [], "tax_number": null, "email": null}'::jsonb,
        'OV', 'USD', 2::smallint, 1::numeric, null::date, 30::smallint, null, null::numeric, null, false
    )$$, 'without a profile: the default seller, his name, no tax'
);
insert into admin.exchange_rate (currency, rate_date, units_per_usd)
values ('EUR', '2025-12-31', 0.9), ('EUR', '2026-02-01', 0.91), ('EUR', '2026-02-15', 0.92), ('KWD', '2026-02-01', 0.3);
insert into admin.tax_rate (tax, valid_from, valid_to, tax_percent, description)
values ('VAT DE', '2025-01-01', '2026-02-01', 19, 'VAT 19 %'), ('VAT DE', '2026-02-01', '2026-03-01', 20.5, 'VAT 20.5 %');
insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix, currency, payment_days, address, payment_instructions)
values ('gmbh', 'OneVault GmbH', 'DE', 'EUR', 14, '{Berlin}', '{IBAN}');
insert into admin.billing_profile (customer, legal_entity, legal_name, address, tax_number, email, tax, is_prepaid)
values ('buyer', 'gmbh', 'Buyer AG', '{Bern}', 'CH1', 'ap@example.com', 'VAT DE', true);
select results_eq(
    $$select b.legal_entity_hk, b.seller ->> 'legal_name', b.seller -> 'payment_instructions' ->> 0, b.buyer, b.invoice_prefix, b.currency, b.decimals,
        b.units_per_usd, b.rate_date, b.payment_days, b.tax, b.tax_percent, b.tax_description, b.is_prepaid
        from billed as b where b.customer = 'buyer' and b.day = '2026-01-01'$$,
    $$values (util.hash_key('gmbh'), 'OneVault GmbH', 'IBAN',
        '{"legal_name": "Buyer AG", "address": ["Bern"], "tax_number": "CH1", "email": "ap@example.com"}'::jsonb, 'DE',
        'EUR', 2::smallint, 0.9, '2025-12-31'::date, 14::smallint, 'VAT DE', 19::numeric, 'VAT 19 %', true)$$, 'with one: his seller, and what it says'
);
select is((b.units_per_usd, b.rate_date, b.tax_percent)::text, '(0.91,2026-02-01,20.5)', 'rates are those of the day')
from billed as b where b.customer = 'buyer' and b.day = '2026-02-01';
select throws_ok($$select from billed as b where b.customer = 'buyer' and b.day = '2026-03-01'$$, 'VG409',
    'The customer ''buyer'' pays the tax ''VAT DE'', which has no rate for 2026-03-01', 'no rate of a tax is not zero');
select is((select b.units_per_usd from gateway.fn_read_billing(util.hash_key('buyer'), '2026-02-20') as b), 0.92, 'the last one up to it');
update admin.billing_profile set currency = 'KWD', payment_days = 0, tax = null;
select is((b.currency, b.decimals, b.payment_days, b.tax)::text, '(KWD,3,0,)', 'his own terms go before the seller''s')
from billed as b where b.customer = 'buyer' and b.day = '2026-02-01';
create function pg_temp.hint() returns text language plpgsql as $$
declare
    v_hint text;
begin
    perform gateway.fn_read_billing(util.hash_key('buyer'), '2026-01-01');
    return null;
exception
    when sqlstate 'VG409' then
        get stacked diagnostics v_hint = pg_exception_hint;
        return v_hint;
end
$$;
select throws_ok($$select from billed as b where b.customer = 'buyer' and b.day = '2026-01-01'$$, 'VG409',
    'The customer ''buyer'' is billed in KWD, which has no rate for 2026-01-01', 'no rate of a currency is not one');
select alike(pg_temp.hint(), 'insert into admin.exchange_rate%KWD%2026-01-01%', 'and what to write is told');
update admin.billing_profile set currency = 'USD';
delete from admin.customer where customer = 'buyer';
select is((b.buyer ->> 'legal_name', b.currency)::text, '("Buyer AG",USD)', 'he may be gone')
from billed as b where b.customer = 'buyer' and b.day = '2026-01-01';
delete from admin.billing_profile;
update admin.legal_entity set is_default = true where legal_entity = 'gmbh';
select is((b.buyer ->> 'legal_name', b.invoice_prefix, b.payment_days)::text, '(buyer,DE,14)', 'and is billed by the default then')
from billed as b where b.customer = 'buyer' and b.day = '2026-01-01';
select throws_ok($$select gateway.fn_read_billing('x', '2026-01-01')$$, 'VG409', null, 'nobody is billed by nobody');
select is(
    (select array_agg(gateway.fn_count_decimals(c)) from unnest('{USD,EUR,JPY,KRW,ISK,KWD,BHD,TND,CLF}'::text[]) as c),
    '{2,2,0,0,0,3,3,3,4}'::smallint[], 'decimals by ISO 4217'
);
select * from finish();
rollback;
