begin;
select plan(4);
select test.make_provider('maker');
select test.make_customer('owner');
select admin.sp_set_provider_key('maker', null, 'default', '\xaa', '\x0101', 'key-1');
select admin.sp_set_provider_key('maker', 'owner', null, '\xbb', '\x0202', 'key-2');
select results_eq(
    $$select k.api_key_encrypted, k.encryption_key_id, k.key_status, k.identity
        from gateway.sp_read_provider_key(admin.sp_identify_provider_key('maker', null, 'default')) as k$$,
    $$values ('\x0101'::bytea, 'key-1', 'ACTIVE', admin.sp_identify_provider_key('maker', null, 'default'))$$, 'the house''s'
);
select results_eq(
    $$select k.api_key_encrypted, k.encryption_key_id, k.key_status, k.identity
        from gateway.sp_read_provider_key(admin.sp_identify_provider_key('maker', 'owner', null)) as k$$,
    $$values ('\x0202'::bytea, 'key-2', 'ACTIVE', admin.sp_identify_provider_key('maker', 'owner', null))$$, 'a customer''s'
);
select is_empty($$select * from gateway.sp_read_provider_key(sha256('nothing'))$$, 'nothing for an unknown one');
delete from admin.provider_key where customer = 'owner';
select is((select k.key_status from gateway.sp_read_provider_key(admin.sp_identify_provider_key('maker', 'owner', null)) as k),
    'REVOKED', 'and whether it may be used');
select * from finish();
rollback;
