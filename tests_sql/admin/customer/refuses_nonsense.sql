begin;
select plan(19);
select test.make_offer('maker', 'model-a');
insert into admin.customer (customer) values ('Acme');
select throws_ok($$insert into admin.customer (customer) values ('ACME')$$, 'VG409',
    'The customer ''ACME'' exists already', 'a name that is taken');
select throws_ok($$insert into admin.customer (customer) values (null)$$, 'VG400', 'A customer needs a name', 'no name');
select throws_ok($$insert into admin.customer (customer, tenant) values ('x', 'nowhere')$$, 'VG404',
    'There is no tenant ''nowhere''', 'an unknown tenant');
select throws_ok($$insert into admin.customer (customer, customer_reference) values ('x', 'AAAAAAAA')$$, 'VG400',
    'customer_reference cannot be set here', 'a reference of its own');
select throws_ok($$update admin.customer set tenant = 'other' where customer = 'Acme'$$, 'VG400',
    'tenant cannot be set here', 'another tenant');
select throws_ok($$update admin.customer set priority_tier = 'GOLD' where customer = 'Acme'$$, 'VG400',
    'This tier is not known', 'an unknown tier');
select throws_ok($$update admin.customer set cost_budget_daily = -1 where customer = 'Acme'$$, 'VG400',
    'A budget cannot be negative', 'a negative budget');
select throws_ok($$update admin.customer set cost_budget_daily = 'NaN' where customer = 'Acme'$$, 'VG400', null,
    'a budget that is no number');
select throws_ok($$update admin.customer set cost_budget_daily = 1e12 where customer = 'Acme'$$, 'VG400', null,
    'a budget larger than the column');
select throws_ok($$update admin.customer set rate_limit_requests_per_minute = 0 where customer = 'Acme'$$, 'VG400', null,
    'a rate limit of nothing');
select throws_ok($$update admin.customer set rate_limit_requests_per_minute = 6000001 where customer = 'Acme'$$, 'VG400',
    null, 'a rate limit that the bucket cannot count');
select throws_ok($$update admin.customer set preferred_providers = '{nobody}' where customer = 'Acme'$$, 'VG404',
    'There is no provider ''nobody''', 'an unknown provider');
select throws_ok($$update admin.customer set allowed_models = '{maker/model-b}' where customer = 'Acme'$$, 'VG404',
    'There is no model ''maker/model-b''', 'an unknown model');
select throws_ok($$update admin.customer set compliance = '{"HIPAA,GDPR"}' where customer = 'Acme'$$, 'VG400', null,
    'two levels in one element');
select throws_ok($$update admin.customer set webhook_url = 'http://example.com' where customer = 'Acme'$$, 'VG400',
    'A webhook needs an https address', 'a webhook in the clear');
select throws_ok($$update admin.customer set webhook_url = 'https://user:word@example.com/' where customer = 'Acme'$$, 'VG400',
    'This is no address that events can be sent to', 'a webhook with a password');
select throws_ok($$update admin.customer set webhook_url = 'https:///hook' where customer = 'Acme'$$, 'VG400',
    'This is no address that events can be sent to', 'a webhook without a host');
select throws_ok($$update admin.customer set is_active = null where customer = 'Acme'$$, 'VG400', null, 'neither on nor off');
select is((select count(*) from admin.customer_history where customer = 'Acme'), 1::bigint, 'nothing of it was kept');
select * from finish();
rollback;
