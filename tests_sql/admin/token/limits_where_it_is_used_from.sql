begin;
select plan(7);
select test.make_customer('caller');
update admin.token set allowed_addresses = '{10.0.0.0/8,2001:db8::1}' where customer = 'caller';
select is((select t.allowed_addresses from admin.token as t where t.customer = 'caller'), '{10.0.0.0/8,2001:db8::1/128}'::cidr[], 'a list');
select is((select p.allowed_addresses from ops.principal as p where p.customer_bk = 'caller'), '{10.0.0.0/8,2001:db8::1/128}'::cidr[],
    'in force at once');
select throws_ok($$update admin.token set allowed_addresses = '{}' where customer = 'caller'$$, 'VG400',
    'This list of addresses lets nobody in, or is too long', 'an empty list');
select throws_ok($$update admin.token set allowed_addresses = '{10.0.0.0/8,null}' where customer = 'caller'$$, 'VG400', null, 'a hole in it');
select throws_ok($$update admin.token set allowed_addresses = array_fill('10.0.0.0/8'::cidr, '{101}') where customer = 'caller'$$, 'VG400', null,
    'one without end');
update admin.token set allowed_addresses = null where customer = 'caller';
select is((select p.allowed_addresses from ops.principal as p where p.customer_bk = 'caller'), null, 'and none again');
select is((select count(*) from admin.token_history as h where h.customer = 'caller' and h.allowed_addresses is not null), 1::bigint, 'with history');
select * from finish();
rollback;
