begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('owner');
select test.make_token('owner', 'revoked', '{"token_status": "REVOKED"}');
select test.make_token('owner', 'expired', jsonb_build_object('expires_at', now() - interval '1 second'));
select test.make_token('owner', 'usage only', '{"scopes": ["usage"]}');
select test.make_customer('switched off', '{"is_active": false}');
select is((test.route(sha256('nobody'))).status, 'invalid_token', 'unknown');
select is((test.route(sha256('owner/revoked'))).status, 'token_revoked', 'revoked');
select is((test.route(sha256('owner/expired'))).status, 'token_expired', 'expired');
select is((test.route(sha256('owner/usage only'))).status, 'scope_not_allowed', 'not for inference');
select is((test.route(sha256('switched off/token'))).status, 'token_revoked', 'customer switched off');
select is(count(*)::integer, 0, 'none of them left a trace') from ops.reservation as r
where r.customer_hk = util.hash_key('owner');
select * from finish();
rollback;
