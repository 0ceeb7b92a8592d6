begin;
select plan(9);
insert into admin.tenant (tenant) values ('Shop');
select throws_ok($$insert into admin.tenant (tenant) values (' shop ')$$, 'VG409', null, 'a name that is taken');
select throws_ok($$insert into admin.tenant (tenant) values ('  ')$$, 'VG400', 'A tenant needs a name', 'no name');
select throws_ok($$insert into admin.tenant (tenant) values (E'a\nb')$$, 'VG400', null, 'a name of two lines');
select throws_ok(
    $$update admin.tenant set time_zone = 'Mars/Base' where tenant = 'Shop'$$, 'VG400',
    'There is no time zone ''Mars/Base''', 'an unknown time zone'
);
select throws_ok($$update admin.tenant set tenant = 'Store' where tenant = 'Shop'$$, 'VG400', null, 'another name');
select throws_ok(
    $$update admin.tenant set markup_percent = -101 where tenant = 'Shop'$$, 'VG400',
    'A markup below -100 % would pay the customer', 'a markup that pays'
);
select throws_ok($$update admin.tenant set markup_percent = 'NaN' where tenant = 'Shop'$$, 'VG400',
    'markup_percent is not a number', 'no number');
select throws_ok($$update admin.tenant set is_active = null where tenant = 'Shop'$$, 'VG400',
    'is_active cannot be NULL', 'neither on nor off');
select throws_ok($$update admin.tenant set address_policy = 'SECRET' where tenant = 'Shop'$$, 'VG400',
    'This address policy is not known', 'an unknown policy');
select * from finish();
rollback;
