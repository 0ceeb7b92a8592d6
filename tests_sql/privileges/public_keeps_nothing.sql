begin;
select plan(10);
create temporary view house as
select n.oid from pg_catalog.pg_namespace as n
where n.nspname in ('util', 'auth', 'gateway', 'ops', 'business_vault', 'admin', 'pgmq');
select is_empty(
    $$select a.privilege_type from pg_catalog.pg_database as d
        cross join lateral pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) as a
        where d.datname = current_database() and a.grantee = 0$$,
    'on the database: neither CONNECT, nor TEMP, nor CREATE'
);
select is_empty(
    $$select n.nspname, a.privilege_type from pg_catalog.pg_namespace as n inner join house using (oid)
        cross join lateral pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) as a where a.grantee = 0$$,
    'on schemas'
);
select ok(not has_schema_privilege('onevault_app', 'public', 'create'), 'nor may anybody make things in the schema public');
select is_empty(
    $$select p.oid::regprocedure from pg_catalog.pg_proc as p inner join house on p.pronamespace = house.oid
        cross join lateral pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) as a where a.grantee = 0$$,
    'on functions'
);
select is_empty(
    $$select c.oid::regclass, a.privilege_type from pg_catalog.pg_class as c inner join house on c.relnamespace = house.oid
        cross join lateral pg_catalog.aclexplode(c.relacl) as a where a.grantee = 0$$,
    'on tables, views and sequences'
);
select is_empty(
    $$select t.oid::regtype from pg_catalog.pg_type as t inner join house on t.typnamespace = house.oid
        left join pg_catalog.pg_class as c on t.typrelid = c.oid
        cross join lateral pg_catalog.aclexplode(coalesce(t.typacl, pg_catalog.acldefault('T', t.typowner))) as a
        where a.grantee = 0 and t.typelem = 0 and coalesce(c.relkind, 'c') = 'c'$$,
    'on types'
);
set local role onevault_owner;
create function gateway.fn_made_later() returns integer language sql return 1;
create table ops.made_later (a integer);
create type ops.kind_made_later as enum ('a');
reset role;
set local role onevault_reader;
create function business_vault.fn_made_later() returns integer language sql return 1;
reset role;
select ok(not has_function_privilege('onevault_bi', 'gateway.fn_made_later()', 'execute'), 'nor on what will be made');
select ok(not has_function_privilege('onevault_bi', 'business_vault.fn_made_later()', 'execute'), 'nor when the reader makes it');
select ok(not has_table_privilege('onevault_bi', 'ops.made_later', 'select'), 'nor on a table');
select ok(not has_type_privilege('onevault_bi', 'ops.kind_made_later', 'usage'), 'nor on a type');
select * from finish();
rollback;
