begin;
select plan(8);
select test.make_offer('maker', 'model-a');
select test.make_customer('caller');
select test.make_token('caller', 'second');
select is((select count(*) from admin.token where customer = 'caller'), 2::bigint, 'two tokens');
delete from admin.token where customer = 'caller' and token_name = 'second';
select is((test.route(sha256('caller/second'))).status, 'token_revoked', 'deleted, its callers are told so');
select is((test.route(sha256('caller/token'))).status, 'routed', 'the other one goes on');
select is((select token_status from admin.token where token_id = 'caller/second'), 'REVOKED', 'it stays in the list');
select throws_ok($$update admin.token set token_status = 'ACTIVE' where token_id = 'caller/second'$$, 'VG409',
    'The token ''caller/second'' was revoked', 'it does not come back');
select is((select count(*) from admin.token_history where token_id = 'caller/second'), 2::bigint, 'its history is kept');
update admin.token set expires_at = now() - interval '1 second' where token_id = 'caller/token';
select is((test.route(sha256('caller/token'))).status, 'token_expired', 'an end in the past');
update admin.token set expires_at = null, token_status = 'revoked' where token_id = 'caller/token';
select is((test.route(sha256('caller/token'))).status, 'token_revoked', 'revoked by UPDATE');
select * from finish();
rollback;
