begin;
select plan(4);
create temporary view service as
select r.rolname from pg_catalog.pg_roles as r
where r.rolname in ('onevault_app', 'onevault_worker', 'onevault_dba', 'onevault_bi');
select is((select count(*) from service), 4::bigint, 'each of the four');
select is_empty(
    $$select s.rolname, p.privilege from service as s cross join unnest('{temporary,create}'::text[]) as p (privilege)
        where has_database_privilege(s.rolname, current_database(), p.privilege)$$,
    'neither temporary tables nor schemas'
);
select is_empty(
    $$select s.rolname, n.nspname from service as s cross join pg_catalog.pg_namespace as n
        where n.nspname !~ '^pg_(toast_)?temp_' and has_schema_privilege(s.rolname, n.oid, 'create')$$,
    'nothing in any schema, whoever made it'
);
select is_empty(
    $$select s.rolname, c.oid::regclass from service as s cross join pg_catalog.pg_class as c
        where c.relnamespace = any('{util,auth,gateway,ops,business_vault,admin,pgmq}'::regnamespace[])
            and c.relkind in ('r', 'p', 'v', 'm', 'f') and has_table_privilege(s.rolname, c.oid, 'truncate,trigger,references,maintain')$$,
    'no trigger, no key, no upkeep on anybody''s table'
);
select * from finish();
rollback;
