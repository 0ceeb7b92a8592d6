begin;
select plan(7);
select test.make_tenant('delta tenant');
create temporary view versions as
select s.* from auth.tenant_s as s where s.tenant_hk = util.hash_key('delta tenant');
select ok(
    util.fn_load_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key('delta tenant')), '{"markup_percent": 7}', 'dba'
    ), 'a changed payload: true'
);
select is(count(*)::integer, 2, 'two versions') from versions;
select is(count(*)::integer, 1, 'one of them current') from versions as v where v.load_end_date is null;
select is(v.markup_percent, 7.0000, 'it has the new value') from versions as v where v.load_end_date is null;
select is(v.tenant_name, 'delta tenant', 'and keeps what was not named') from versions as v where v.load_end_date is null;
select is(
    (select v.load_end_date from versions as v where v.load_end_date is not null),
    (select v.load_date from versions as v where v.load_end_date is null), 'the versions touch'
);
select throws_ok(
    $$insert into auth.tenant_s (tenant_hk, hash_diff, tenant_name, record_source)
    values (util.hash_key('delta tenant'), '\x00', 'x', 'by hand')$$,
    '23505', null, 'two current rows are impossible'
);
select * from finish();
rollback;
