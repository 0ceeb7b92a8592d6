begin;
select plan(4);
insert into admin.tenant (tenant) values ('Closing');
insert into admin.customer (customer, tenant) values ('last one', 'Closing');
select throws_ok($$delete from admin.tenant where tenant = 'Closing'$$, 'VG409',
    'The tenant ''Closing'' has 1 customers', 'not while it has customers');
delete from admin.customer where customer = 'last one';
select lives_ok($$delete from admin.tenant where tenant = 'Closing'$$, 'afterwards it goes');
select throws_ok($$insert into admin.tenant (tenant) values ('Closing')$$, 'VG409', null, 'its name stays with its bills');
select throws_ok($$insert into admin.customer (customer, tenant) values ('late', 'Closing')$$, 'VG404',
    'There is no tenant ''Closing''', 'nobody joins it');
select * from finish();
rollback;
