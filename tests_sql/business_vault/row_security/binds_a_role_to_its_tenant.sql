begin;
select plan(7);
select test.make_offer('maker', 'model-a');
select test.make_customer('ours', '{}', 'tenant a'), test.make_customer('theirs', '{}', 'tenant b');
select test.settle(test.route(sha256('ours/token'))), test.settle(test.route(sha256('theirs/token')));
create role test_bound nologin in role onevault_bi;
create role test_member nologin in role test_bound;
create role test_both nologin in role onevault_bi;
insert into auth.tenant_role (role_name, tenant_hk) values
('test_bound', util.hash_key('tenant a')), ('test_both', util.hash_key('tenant a')), ('test_both', util.hash_key('tenant b'));
create function test.seen(p_role text, p_tenant text) returns text language sql as $$
    select test.read_as(p_role, p_tenant, 'select string_agg(distinct u.customer, '','') from business_vault.usage_hourly as u');
$$;
select is(test.seen('test_bound', null), 'ours', 'it need not say which');
select is(test.seen('test_bound', 'tenant b'), 'ours', 'and cannot say another');
select is(test.seen('test_member', 'tenant b'), 'ours', 'nor can a member of it');
select is(test.seen('test_both', null), null, 'one that is bound to two sees nothing until it chooses');
select is(test.seen('test_both', 'tenant b'), 'theirs', 'and then what it chose');
select is(
    util.fn_choose_tenant('test_bound', 'onevault_bi', 'tenant b'), util.hash_key('tenant a'),
    'acting as another role does not unbind'
);
select is(util.fn_may_see_all_tenants('test_bound', 'onevault_dba'), false, 'not even as a DBA');
select * from finish();
rollback;
