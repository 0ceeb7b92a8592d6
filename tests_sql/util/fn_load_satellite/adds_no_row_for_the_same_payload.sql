begin;
select plan(6);
select test.make_tenant('delta tenant');
create temporary view versions as
select s.* from auth.tenant_s as s where s.tenant_hk = util.hash_key('delta tenant');
select is(count(*)::integer, 1, 'one version') from versions;
select ok(
    not util.fn_load_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key('delta tenant')),
        '{"tenant_name": "delta tenant"}', 'again'
    ), 'the same payload: false'
);
set local timezone = 'Asia/Tokyo';
select ok(
    not util.fn_load_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key('delta tenant')),
        '{"markup_percent": 20.00, "time_zone": "UTC"}', 'again'
    ), 'the same values written another way, from another time zone: false'
);
select is(count(*)::integer, 1, 'still one version') from versions;
select ok(
    not util.fn_load_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key('delta tenant')), '{}', 'again'
    ), 'nothing named: nothing changes'
);
select throws_ok(
    $$select util.fn_load_satellite('auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key('delta tenant')),
        '{"colour": "red"}', 'test')$$,
    'VG400', null, 'a column that does not exist is refused'
);
select * from finish();
rollback;
