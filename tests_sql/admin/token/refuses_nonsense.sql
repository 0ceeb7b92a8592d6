begin;
select plan(7);
select test.make_customer('caller');
select throws_ok($$insert into admin.token (customer, token_name) values ('caller', 'x')$$, 'VG400',
    'SQL cannot make a token: the database never sees one', 'made by SQL');
select throws_ok($$update admin.token set customer = 'other' where customer = 'caller'$$, 'VG400',
    'customer cannot be set here', 'given to somebody else');
select throws_ok($$update admin.token set token_hint = 'x' where customer = 'caller'$$, 'VG400', null, 'another hint');
select throws_ok($$update admin.token set token_status = 'LOST' where customer = 'caller'$$, 'VG400',
    'This token status is not known', 'an unknown status');
select throws_ok($$update admin.token set cost_budget_monthly = -5 where customer = 'caller'$$, 'VG400',
    'A budget cannot be negative', 'a negative budget');
select throws_ok($$update admin.token set allowed_models = '{nothing}' where customer = 'caller'$$, 'VG404', null, 'an unknown model');
select is_empty($$select from pg_catalog.pg_attribute as a
    where a.attrelid in ('admin.token'::regclass, 'admin.token_history'::regclass) and a.attname ~ 'digest|pepper'$$,
    'the digest is shown nowhere');
select * from finish();
rollback;
