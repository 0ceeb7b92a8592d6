begin;
select plan(13);
select test.make_customer('Buyer');
insert into admin.tax_rate (tax, valid_from, tax_percent) values ('VAT DE', '2020-01-01', 19);
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2020-01-01', 0.9);
insert into admin.billing_profile (customer) values ('buyer');
select results_eq(
    $$select b.customer, b.legal_entity, b.legal_name, b.address, b.tax_number, b.email, b.tax, b.currency, b.payment_days, b.is_prepaid
        from admin.billing_profile as b$$,
    $$values ('Buyer', null, 'Buyer', '{}'::text[], null, null, null, null, null::smallint, false)$$, 'what is not given is the seller''s'
);
update admin.billing_profile set legal_entity = 'house', legal_name = 'Buyer Inc.', address = '{1 Road}', tax_number = '7', email = 'ap@example.com',
    tax = 'vat de', currency = 'eur', payment_days = 7, is_prepaid = true;
select results_eq(
    $$select b.legal_entity, b.legal_name, b.address, b.tax_number, b.email, b.tax, b.currency, b.payment_days, b.is_prepaid
        from admin.billing_profile as b$$,
    $$values ('house', 'Buyer Inc.', '{1 Road}'::text[], '7', 'ap@example.com', 'VAT DE', 'EUR', 7::smallint, true)$$, 'what is given is his'
);
select throws_ok($$insert into admin.billing_profile (customer) values ('BUYER')$$, 'VG409', 'The customer ''Buyer'' has a billing profile already', 'one');
select throws_ok($$insert into admin.billing_profile (customer) values ('nobody')$$, 'VG404', 'There is no customer ''nobody''', 'somebody''s');
select throws_ok($$update admin.billing_profile set legal_entity = 'nobody'$$, 'VG404', 'There is no legal entity ''nobody''', 'of a seller');
select throws_ok($$update admin.billing_profile set tax = 'none'$$, 'VG404', 'There is no tax ''none''', 'with a tax');
select throws_ok($$update admin.billing_profile set currency = 'GBP'$$, 'VG409', 'There is no rate for GBP', 'in money');
select throws_ok($$update admin.billing_profile set currency = 'pounds'$$, 'VG400', 'This is no currency', 'of a kind');
select throws_ok($$update admin.billing_profile set address = array[repeat('x', 201)]$$, 'VG400', null, 'that can be printed');
select throws_ok($$update admin.billing_profile set customer = 'other'$$, 'VG400', null, 'it stays his');
select admin.restore('billing_profile', 'buyer', (select min(h.load_date) from admin.billing_profile_history as h));
select is((select b.currency from admin.billing_profile as b), null, 'what was comes back');
delete from admin.customer where customer = 'Buyer';
update admin.billing_profile set legal_name = 'Buyer in liquidation';
select is((select b.legal_name from admin.billing_profile as b), 'Buyer in liquidation', 'it outlives him, for his last invoice');
delete from admin.billing_profile;
select lives_ok($$insert into admin.billing_profile (customer) values ('buyer')$$, 'and may be given then');
select * from finish();
rollback;
