begin;
select plan(16);
delete from admin.plan;
select test.make_customer('buyer');
insert into admin.legal_entity (legal_entity, legal_name, address, tax_number, email, payment_instructions, invoice_prefix, payment_days)
values ('Europe', ' OneVault GmbH ', '{"Hauptstr. 1", " ", "10115 Berlin"}', 'DE1', 'ar@example.com', '{IBAN DE02}', 'ove', 14);
select results_eq(
    $$select e.legal_name, e.address, e.tax_number, e.email, e.payment_instructions, e.invoice_prefix, e.currency, e.payment_days, e.is_default
        from admin.legal_entity as e where e.legal_entity = 'Europe'$$,
    $$values ('OneVault GmbH', '{Hauptstr. 1,10115 Berlin}'::text[], 'DE1', 'ar@example.com', '{IBAN DE02}'::text[], 'OVE', 'USD', 14::smallint, false)$$,
    'what is not given has a default'
);
update admin.legal_entity set is_default = true where legal_entity = 'Europe';
select results_eq($$select e.legal_entity, e.is_default from admin.legal_entity as e order by 1$$,
    $$values ('Europe', true), ('house', false)$$, 'who becomes the default takes it from the one before');
select throws_ok($$update admin.legal_entity set is_default = false where legal_entity = 'Europe'$$, 'VG409', null, 'and nobody gives it away to nobody');
select throws_ok($$delete from admin.legal_entity where legal_entity = 'Europe'$$, 'VG409', 'The legal entity ''Europe'' is the default', 'nor by going');
select throws_ok($$insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix) values ('europe', 'x', 'X')$$, 'VG409', null, 'one that is there');
select throws_ok($$insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix) values ('asia', 'x', 'OV')$$,
    'VG409', 'Numbers that begin with OV are those of ''house''', 'a prefix of somebody');
select throws_ok($$insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix) values ('asia', 'x', 'O-V')$$,
    'VG400', 'An invoice prefix is a word', 'a prefix that no number could begin with');
select throws_ok($$insert into admin.legal_entity (legal_entity, legal_name) values ('asia', 'x')$$, 'VG400', 'invoice_prefix cannot be NULL', 'none');
select throws_ok($$update admin.legal_entity set legal_name = ' '$$, 'VG400', 'legal_name cannot be NULL', 'nobody');
select throws_ok($$update admin.legal_entity set email = 'a b'$$, 'VG400', '''a b'' is no address', 'no address');
select throws_ok($$update admin.legal_entity set payment_days = -1$$, 'VG400', 'These days to pay in are out of range', 'no days');
select throws_ok($$update admin.legal_entity set currency = 'EUR'$$, 'VG409', 'There is no rate for EUR', 'a currency without a rate');
insert into admin.billing_profile (customer, legal_entity) values ('buyer', 'HOUSE');
select throws_ok($$delete from admin.legal_entity where legal_entity = 'house'$$, 'VG409',
    'The legal entity ''house'' bills 1 customers', 'who has customers stays');
delete from admin.billing_profile;
update admin.legal_entity set invoice_prefix = 'OLD' where legal_entity = 'house';
delete from admin.legal_entity where legal_entity = 'house';
select is((select array_agg(e.legal_entity) from admin.legal_entity as e), '{Europe}'::text[], 'and goes without');
select throws_ok($$insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix) values ('asia', 'x', 'OV')$$, 'VG409', null,
    'with every prefix it ever had');
select throws_ok($$insert into admin.legal_entity (legal_entity, legal_name, invoice_prefix) values ('house', 'x', 'X')$$, 'VG409', null, 'and its name');
select * from finish();
rollback;
