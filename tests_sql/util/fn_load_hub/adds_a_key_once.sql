begin;
select plan(4);
select ok(util.fn_load_hub('auth.tenant_h', util.hash_key('hub test'), 'hub test', 'first'), 'new key: true');
select ok(not util.fn_load_hub('auth.tenant_h', util.hash_key('hub test'), 'hub test', 'second'), 'known key: false');
select is(count(*)::integer, 1, 'one row') from auth.tenant_h as h where h.tenant_bk = 'hub test';
select is(h.record_source, 'first', 'the first source stays') from auth.tenant_h as h where h.tenant_bk = 'hub test';
select * from finish();
rollback;
