begin;
select plan(13);
insert into admin.tax_rate (tax, valid_from, valid_to, tax_percent, description) values ('VAT DE', '2020-01-01', '2021-01-01', 16, 'VAT 16 %');
insert into admin.tax_rate (tax, valid_from, tax_percent) values ('vat de', '2021-01-01', 19.00);
select results_eq($$select t.tax, t.valid_from, t.valid_to, t.tax_percent, t.description from admin.tax_rate as t order by t.valid_from$$,
    $$values ('VAT DE', '2020-01-01'::date, '2021-01-01'::date, 16::numeric, 'VAT 16 %'), ('VAT DE', '2021-01-01', 'infinity', 19, 'VAT DE')$$,
    'one tax, a rate after the other');
select throws_ok($$insert into admin.tax_rate (tax, valid_from, tax_percent) values ('VAT DE', '2025-01-01', 20)$$, 'VG409',
    'The tax ''VAT DE'' has a rate from 2021-01-01 to infinity already', 'no day has two');
select throws_ok($$update admin.tax_rate set valid_to = '2021-01-02' where valid_from = '2020-01-01'$$, 'VG409', null, 'nor by being made longer');
select throws_ok($$insert into admin.tax_rate (tax, valid_from, tax_percent) values ('VAT DE', '2020-01-01', 20)$$, 'VG409', null, 'nor twice from one');
select lives_ok($$insert into admin.tax_rate (tax, valid_from, tax_percent) values ('VAT FR', '2020-01-01', 20)$$, 'of one tax');
select throws_ok($$insert into admin.tax_rate (tax, tax_percent) values ('VAT FR', 20)$$, 'VG400', 'valid_from cannot be NULL', 'from a day on');
select throws_ok($$update admin.tax_rate set tax_percent = 101$$, 'VG400', 'A tax is a percentage', 'a percentage');
select throws_ok($$update admin.tax_rate set tax_percent = null$$, 'VG400', 'tax_percent cannot be NULL', 'that is known');
select throws_ok($$update admin.tax_rate set valid_to = '2019-01-01' where tax = 'VAT FR'$$, 'VG400', 'This would end before it begins', 'of some days');
select throws_ok($$update admin.tax_rate set tax = 'VAT IT' where tax = 'VAT FR'$$, 'VG400', null, 'it keeps its name');
update admin.tax_rate set valid_to = '2026-01-01' where valid_from = '2021-01-01';
insert into admin.tax_rate (tax, valid_from, tax_percent) values ('VAT DE', '2026-01-01', 20);
select throws_ok(
    $$select admin.restore('tax_rate', 'VAT DE',
        (select max(h.load_date) - interval '1 us' from admin.tax_rate_history as h where h.valid_from = '2021-01-01'))$$,
    'VG409', null, 'what lies in the way of an earlier version is told'
);
select test.make_customer('buyer');
insert into admin.billing_profile (customer, tax) values ('buyer', 'VAT FR');
select throws_ok($$delete from admin.tax_rate where tax = 'VAT FR'$$, 'VG409', '1 customers pay the tax ''VAT FR'', and this is its only rate', 'it is paid');
delete from admin.tax_rate where valid_from = '2020-01-01' and tax = 'VAT DE';
select is((select count(*) from admin.tax_rate as t where t.tax = 'VAT DE'), 2::bigint, 'one that should not have been goes');
select * from finish();
rollback;
