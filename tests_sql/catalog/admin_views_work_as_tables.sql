begin;
select plan(3);
create temporary view edited as
select c.oid, c.relname from pg_catalog.pg_class as c
where c.relnamespace = 'admin'::regnamespace and c.relkind = 'v' and c.relname !~ '_history$'
    and c.relname not in ('webhook_delivery', 'usage_export_delivery'); -- what the gateway writes is only read
-- insert 4, delete 8, update 16; instead 64, row 1
select is_empty(
    $$select e.relname, k.bit from edited as e cross join unnest('{4,8,16}'::integer[]) as k (bit)
        where not exists (
            select from pg_catalog.pg_trigger as t where t.tgrelid = e.oid and t.tgtype & (64 | k.bit) = (64 | k.bit)
        )$$,
    'each takes INSERT, UPDATE and DELETE'
);
select is_empty(
    $$select e.relname from edited as e where to_regclass('admin.' || e.relname || '_history') is null$$, 'each has a history'
);
select is_empty(
    $$select e.relname, n.name from edited as e cross join unnest('{load_date,load_end_date,record_source}'::text[]) as n (name)
        where not exists (
            select from pg_catalog.pg_attribute as a
            where a.attrelid = to_regclass('admin.' || e.relname || '_history') and a.attname = n.name
        )$$,
    'that tells when and by whom'
);
select * from finish();
rollback;
