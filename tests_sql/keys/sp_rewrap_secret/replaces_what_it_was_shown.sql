begin;
select plan(15);
select test.make_offer('maker', 'model-a', 1, 2), test.make_customer('owner');
select test.make_provider('maker', '{"needs_key": true}');
-- As long as a sealed secret is, with its version and the key's id in front.
create function pg_temp.sealed(p_key_id text, p_fill text) returns bytea
language sql as $$ select '\x01'::bytea || decode(p_key_id, 'hex') || decode(repeat(p_fill, 96), 'hex'); $$;
select admin.sp_set_provider_key('maker', null, 'first', '\xaa', pg_temp.sealed('aaaaaaaaaaaaaaaa', '01'), 'aaaaaaaaaaaaaaaa');
select admin.sp_set_provider_key('maker', null, 'second', '\xbb', pg_temp.sealed('aaaaaaaaaaaaaaaa', '02'), 'aaaaaaaaaaaaaaaa');
select admin.sp_set_provider_key('maker', 'owner', null, '\xcc', pg_temp.sealed('aaaaaaaaaaaaaaaa', '03'), 'aaaaaaaaaaaaaaaa');
select admin.sp_issue_token('owner', sha256('t'), 'ov_…', pg_temp.sealed('aaaaaaaaaaaaaaaa', '04'));
create temporary view mine as
select s.kind, s.row_hk, s.name, s.sealed, s.master_key_id from ops.sealed_secret as s
where s.master_key_id in ('aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb');
select results_eq('select m.kind, m.name from mine as m order by m.kind, m.name', $$values
    ('customer key', 'owner at maker'), ('house key', 'maker, key first'), ('house key', 'maker, key second'), ('token fingerprint', 'owner')$$,
    'all that is sealed is listed');
select is((select s.pepper_key_id from gateway.token_s as s where s.token_digest = sha256('t')), 'aaaaaaaaaaaaaaaa',
    'a token keeps whose pepper made its digest');
create temporary table chosen as select o.provider_key_hk from ops.offer as o where o.provider_bk = 'maker' and o.model_bk = 'model-a';
select is((select c.provider_key_hk from chosen as c), admin.sp_identify_provider_key('maker', null, 'second'), 'the key set last is used');
create temporary table before as select k.provider, k.customer, k.key_name, k.set_at from admin.provider_key as k where k.provider = 'maker';

select ok(not admin.sp_rewrap_secret(m.kind, m.row_hk, '\x00', pg_temp.sealed('bbbbbbbbbbbbbbbb', '05'), '\xdd', 'bbbbbbbbbbbbbbbb'),
    'one that was changed meanwhile is left') from mine as m where m.name = 'maker, key first';
select is((select count(*) from mine as m where m.master_key_id = 'bbbbbbbbbbbbbbbb'), 0::bigint, 'as it is');
select ok(bool_and(admin.sp_rewrap_secret(m.kind, m.row_hk, m.sealed, pg_temp.sealed('bbbbbbbbbbbbbbbb', '06'), '\xdd', 'bbbbbbbbbbbbbbbb')),
    'the others are replaced') from mine as m where m.name <> 'maker, key second';
select is((select count(*) from mine as m where m.master_key_id = 'bbbbbbbbbbbbbbbb'), 3::bigint, 'under the other key');
select is((select count(*) from gateway.ai_provider_key_s as s where s.provider_key_hk = admin.sp_identify_provider_key('maker', null, 'first')),
    2::bigint, 'as new versions');
select is((select k.key_status from gateway.sp_read_provider_key(admin.sp_identify_provider_key('maker', null, 'first')) as k), 'ACTIVE', 'with their status');
select is((select o.provider_key_hk from ops.offer as o where o.provider_bk = 'maker' and o.model_bk = 'model-a'),
    (select c.provider_key_hk from chosen as c), 'which key is used does not change');
select results_eq(
    $$select k.customer, k.key_name, k.set_at from admin.provider_key as k where k.provider = 'maker' order by 1, 2$$,
    $$select b.customer, b.key_name, b.set_at from before as b order by 1, 2$$, 'nor when they were set'
);
select ok(not admin.sp_set_provider_key('maker', null, 'first', '\xdd', '\x77', 'bbbbbbbbbbbbbbbb'), 'the same key set again adds no version');
select ok(admin.sp_set_provider_key('maker', null, 'first', '\xee', '\x78', 'bbbbbbbbbbbbbbbb'), 'another one does');
select is((select o.provider_key_hk from ops.offer as o where o.provider_bk = 'maker' and o.model_bk = 'model-a'),
    admin.sp_identify_provider_key('maker', null, 'first'), 'and is used from now on');
select is((select s.master_key_id from ops.sealed_secret as s where s.name = 'maker, key first'), 'unreadable', 'what is not sealed is told');
select * from finish();
rollback;
