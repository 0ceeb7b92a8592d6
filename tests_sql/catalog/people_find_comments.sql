begin;
select plan(3);
select is_empty(
    $$select p.oid::regprocedure from pg_catalog.pg_proc as p
        where p.pronamespace = any('{util,auth,gateway,ops,business_vault,admin}'::regnamespace[])
            and p.prorettype <> 'trigger'::regtype and pg_catalog.obj_description(p.oid, 'pg_proc') is null$$,
    'on every function'
);
select is_empty(
    $$select c.oid::regclass from pg_catalog.pg_class as c
        where c.relnamespace = any('{util,auth,gateway,ops,business_vault,admin}'::regnamespace[]) and c.relkind in ('v', 'm')
            and pg_catalog.obj_description(c.oid, 'pg_class') is null$$,
    'on every view'
);
select is_empty(
    $$select c.oid::regclass, a.attname from pg_catalog.pg_class as c
        inner join pg_catalog.pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = any('{business_vault,admin}'::regnamespace[]) and c.relkind in ('v', 'm')
            and pg_catalog.col_description(c.oid, a.attnum) is null$$,
    'on every column that a DBA or BI user meets'
);
select * from finish();
rollback;
