begin;
select plan(14);
select test.make_offer('maker', 'model-a');
select test.make_customer('caller'), test.make_customer('other');
select test.make_token('caller', 'second');
select is(gateway.sp_rehash_token(sha256('caller/token'), sha256('new'), '00112233445566aa'), 'not_yet', 'nobody announced this key');
select admin.sp_announce_master_key('00112233445566aa');
select is(gateway.sp_rehash_token(sha256('caller/token'), sha256('new'), 'ffffffffffffffff'), 'not_yet', 'nor that one');
select is(gateway.sp_rehash_token(sha256('caller/token'), sha256('new'), '00112233445566aa'), 'done', 'the announced one');
select is((test.route(sha256('new'))).customer, 'caller', 'it calls by its new digest');
select is((test.route(sha256('caller/token'))).status, 'invalid_token', 'and no more by the old one');
select results_eq(
    $$select s.pepper_version, s.pepper_key_id, s.load_end_date is null, s.record_source::text
        from gateway.token_s as s where s.token_hk = util.hash_key('caller', 'token') order by s.load_date$$,
    $$values (1::smallint, null, false, 'test'), (2::smallint, '00112233445566aa', true, 'gateway')$$, 'as a new version'
);
select is(gateway.sp_rehash_token(sha256('caller/token'), sha256('newer'), '00112233445566aa'), 'gone', 'an old digest moves nothing');
select is(gateway.sp_rehash_token(sha256('nobody'), sha256('newer'), '00112233445566aa'), 'gone', 'nor does one that is none');
select is(gateway.sp_rehash_token(sha256('caller/second'), sha256('other/token'), '00112233445566aa'), 'gone', 'another customer''s digest');
select is((test.route(sha256('other/token'))).customer, 'other', 'stays the other''s');
select is(gateway.sp_rehash_token(sha256('caller/second'), '\x00', '00112233445566aa'), 'gone', 'no digest at all');
update admin.token set token_status = 'REVOKED' where token_id = 'caller/second';
select is(gateway.sp_rehash_token(sha256('caller/second'), sha256('newest'), '00112233445566aa'), 'gone', 'a revoked one');
update admin.token set expires_at = now() - interval '1 second' where token_id = 'other/token';
select is(gateway.sp_rehash_token(sha256('other/token'), sha256('newest'), '00112233445566aa'), 'gone', 'an expired one');
select results_eq(
    $$select t.token_id, t.master_key_id from ops.token_pepper as t where t.customer in ('caller', 'other')$$,
    $$values ('caller/token', '00112233445566aa')$$, 'the list tells those that may call'
);
select * from finish();
rollback;
