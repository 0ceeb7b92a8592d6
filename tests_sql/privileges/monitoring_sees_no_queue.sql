begin;
select plan(3);
select is_empty(
    $$select c.oid::regclass, r.role from pg_catalog.pg_class as c
        cross join unnest('{pg_monitor,pg_read_all_stats,pg_read_all_settings,pg_stat_scan_tables}'::name[]) as r (role)
        where c.relnamespace = 'pgmq'::regnamespace and c.relkind in ('r', 'p', 'v') and has_table_privilege(r.role, c.oid, 'select')$$,
    'no table of a queue'
);
select ok(not has_schema_privilege('pg_monitor', 'pgmq', 'usage'), 'not even their names');
select is_empty(
    $$select d.defaclrole::regrole from pg_catalog.pg_default_acl as d cross join lateral pg_catalog.aclexplode(d.defaclacl) as a
        where a.grantee = 'pg_monitor'::regrole$$,
    'nor of one that will be made'
);
select * from finish();
rollback;
