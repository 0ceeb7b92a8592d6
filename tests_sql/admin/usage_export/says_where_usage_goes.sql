-- Mutants: a target by plain http, a key in a column, an export that is made another, a customer of another tenant.
begin;
select plan(21);
select test.make_customer('near'), test.make_customer('far', '{}', 'far tenant');
set local role onevault_dba;
insert into admin.usage_export (export, kind, event_name) values ('Tokens', 'stripe', 'tokens_used');
insert into admin.usage_export (export, kind, event_name, value, tenant, endpoint)
values ('far', 'LAGO', 'usd', 'charge_usd', 'far tenant', 'http://127.0.0.1:3000/');
reset role;
select results_eq(
    $$select e.export, e.kind, e.endpoint, e.event_name, e.value, e.tenant, e.is_active, e.has_key from admin.usage_export as e order by 1$$,
    $$values ('far', 'LAGO', 'http://127.0.0.1:3000', 'usd', 'CHARGE_USD', 'far tenant', true, false),
        ('tokens', 'STRIPE', 'https://api.stripe.com', 'tokens_used', 'TOKENS', null, true, false)$$, 'exports as a DBA writes them'
);
select throws_ok(format($$insert into admin.usage_export (export, kind, event_name, endpoint) values ('e', 'LAGO', 'u', %L)$$, u), 'VG400',
    'An export goes to an https address', u)
from unnest(string_to_array(
    'http://example.com https://user:secret@example.com https://example.com/?key=1 http://127.0.0.1.example.com '
    'http://localhost@example.com ftp://example.com', ' '
)) as u;
select throws_ok($$insert into admin.usage_export (export, kind, event_name) values ('e', 'ORB', 'u')$$, 'VG400', null, 'a kind that is not known');
select throws_ok($$insert into admin.usage_export (export, kind, event_name, value) values ('e', 'LAGO', 'u', 'WORDS')$$, 'VG400', null, 'a value');
select throws_ok($$insert into admin.usage_export (export, kind) values ('e', 'LAGO')$$, 'VG400', 'event_name cannot be NULL', 'a name is needed');
select throws_ok($$insert into admin.usage_export (export, kind, event_name) values ('a:b', 'LAGO', 'u')$$, 'VG400', null, 'that parts an id');
select throws_ok($$insert into admin.usage_export (export, kind, event_name) values ('TOKENS', 'LAGO', 'u')$$, 'VG409', null, 'or is taken');
select throws_ok($$update admin.usage_export set value = 'REQUESTS' where export = 'far'$$, 'VG400', null, 'what events are is settled');
select throws_ok($$update admin.usage_export set has_key = true where export = 'far'$$, 'VG400', null, 'keys are not set here');

insert into admin.usage_export_customer (export, customer, external_id) values ('tokens', 'NEAR', ' cus_1 '), ('far', 'far', 'sub_1');
select results_eq($$select c.customer, c.external_id from admin.usage_export_customer as c order by 1$$,
    $$values ('far', 'sub_1'), ('near', 'cus_1')$$, 'who is known by what');
select throws_ok($$insert into admin.usage_export_customer (export, customer, external_id) values ('far', 'near', 'sub_2')$$, 'VG400',
    'The export ''far'' is not for the tenant of ''near''', 'another tenant''s customer');
select throws_ok($$insert into admin.usage_export_customer (export, customer, external_id) values ('tokens', 'far', 'sub_2')$$, 'VG400',
    '''sub_2'' is no customer of Stripe', 'an id of another kind');
select throws_ok($$insert into admin.usage_export_customer (export, customer) values ('tokens', 'far')$$, 'VG400', null, 'none');
select throws_ok($$insert into admin.usage_export_customer (export, customer, external_id) values ('tokens', 'near', 'cus_2')$$, 'VG409', null, 'a second');
update admin.usage_export_customer set external_id = 'cus_3' where customer = 'near';
select admin.restore('usage_export_customer', 'tokens/near', (select min(h.load_date) from admin.usage_export_customer_history as h where h.customer = 'near'));
select is((select c.external_id from admin.usage_export_customer as c where c.customer = 'near'), 'cus_1', 'what was changed is brought back');
delete from admin.usage_export where export = 'tokens';
select is((select count(*)::integer from admin.usage_export_customer as c where c.export = 'tokens'), 0, 'customers go with it');
select * from finish();
rollback;
