begin;
select plan(9);
select test.make_offer('maker', 'model-a');
select test.make_customer('gone', '{"cost_budget_daily": 7}');
delete from admin.customer where customer = 'gone';
select throws_ok($$insert into admin.customer (customer) values ('Gone')$$, 'VG409',
    'A customer ''Gone'' was deleted; its name is not given away again', 'inserted again, it is refused');
update admin.customer set is_active = true where customer = 'gone';
select is((test.route(sha256('gone/token'))).status, 'invalid_token', 'an update finds nothing to wake');
update admin.token set token_status = 'ACTIVE' where customer = 'gone' and token_status = 'ACTIVE';
select is((select token_status from admin.token where customer = 'gone'), 'REVOKED', 'its token was revoked with it');
select throws_ok($$select admin.restore_customer('nobody')$$, 'VG404', null, 'nobody was never there');
select admin.restore_customer('gone');
select is((select (c.is_active, c.cost_budget_daily)::text from admin.customer as c where c.customer = 'gone'), '(f,7)',
    'brought back on purpose, it has its settings and is switched off');
select throws_ok($$select admin.restore_customer('gone')$$, 'VG409', null, 'once');
update admin.customer set is_active = true where customer = 'gone';
select is((test.route(sha256('gone/token'))).status, 'token_revoked', 'its old token stays revoked');
select test.make_token('gone', 'fresh');
select is((test.route(sha256('gone/fresh'))).status, 'routed', 'a new one serves');
select is((select count(*) from gateway.customer_h where customer_bk = 'gone'), 1::bigint, 'it is one customer all the time');
select * from finish();
rollback;
