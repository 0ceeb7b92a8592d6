begin;
select plan(3);
select is_empty(
    $$select p.oid::regprocedure from pg_catalog.pg_proc as p
        where p.pronamespace = any('{util,auth,gateway,ops,business_vault,admin,pgmq}'::regnamespace[])
            and p.proowner not in ('onevault_owner'::regrole, 'onevault_reader'::regrole)$$,
    'no function acts as a superuser'
);
select is_empty(
    $$select c.oid::regclass from pg_catalog.pg_class as c
        where c.relnamespace = any('{util,auth,gateway,ops,business_vault,admin,pgmq}'::regnamespace[])
            and c.relkind in ('r', 'p', 'v', 'm', 'S')
            and c.relowner not in ('onevault_owner'::regrole, 'onevault_reader'::regrole)$$,
    'no view reads as a superuser'
);
select is_empty(
    $$select r.rolname from pg_catalog.pg_roles as r
        where r.rolname like 'onevault%' and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls or r.rolreplication)$$,
    'no role of the house is more than a role'
);
select * from finish();
rollback;
