begin;
select plan(16);
select test.make_offer('maker', 'model-a', 1, 1);
update admin.provider set needs_key = true where provider = 'maker';
select test.make_customer('owner');
select isnt(
    admin.sp_identify_provider_key('maker', null, 'owner'), admin.sp_identify_provider_key('maker', 'owner', null),
    'a customer''s key is sealed for another row than the house''s'
);
select is((test.route(sha256('owner/token'))).status, 'no_provider', 'without a key no call goes there');
select ok(admin.sp_set_provider_key('maker', null, 'default', '\xaabbccddeeff', '\x01', 'key-1'), 'set');
select is((test.route(sha256('owner/token'))).status, 'routed', 'with one they do');
select ok(not admin.sp_set_provider_key('maker', null, 'default', '\xaabbccddeeff', '\x02', 'key-1'), 'the same one, sealed anew');
select is((select count(*) from admin.provider_key_history where provider = 'maker'), 1::bigint, 'adds no version');
select ok(admin.sp_set_provider_key('maker', null, 'default', '\x112233445566', '\x03', 'key-1'), 'another one');
select is((select (k.customer is null, k.key_name, k.key_status, k.key_fingerprint, k.encryption_key_id)::text
    from admin.provider_key as k where k.provider = 'maker'), '(t,default,ACTIVE,11223344,key-1)', 'is shown by its fingerprint');
select is_empty($$select from pg_catalog.pg_attribute as a where a.attname ~ 'encrypted'
    and a.attrelid in ('admin.provider_key'::regclass, 'admin.provider_key_history'::regclass)$$, 'never by what is secret');
delete from admin.provider_key where provider = 'maker';
select is((select key_status from admin.provider_key where provider = 'maker'), 'REVOKED', 'deleted, it is revoked');
select is((test.route(sha256('owner/token'))).status, 'no_provider', 'and used no more');
select admin.sp_set_provider_key('maker', null, 'default', '\x112233445566', '\x04', 'key-1', true);
select is((select key_status from admin.provider_key where provider = 'maker'), 'REVOKED', 'a start does not bring it back');
select admin.sp_set_provider_key('maker', null, 'default', '\x112233445566', '\x05', 'key-1');
select is((select key_status from admin.provider_key where provider = 'maker'), 'ACTIVE', 'a person does');
select admin.sp_set_provider_key('maker', 'owner', null, '\x99', '\x06', 'key-1');
update admin.provider_key set daily_spending_limit = 3 where provider = 'maker' and customer = 'owner';
select is((select (k.key_name, k.daily_spending_limit)::text from admin.provider_key as k where k.customer = 'owner'), '(own,3)',
    'a customer''s own has limits');
select throws_ok($$update admin.provider_key set daily_spending_limit = 3 where customer is null$$, 'VG400', null, 'the house''s has none');
select throws_ok($$insert into admin.provider_key (provider) values ('maker')$$, 'VG400',
    'SQL cannot set a key: it would stand in logs, unsealed', 'SQL sets none');
select * from finish();
rollback;
