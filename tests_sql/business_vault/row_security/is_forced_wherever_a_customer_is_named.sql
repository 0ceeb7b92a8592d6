begin;
select plan(5);
-- A month that is made anew, and the table that stands by for those that are late.
drop table gateway.api_request_s_default;
create table gateway.api_request_s_default partition of gateway.api_request_s default;
select format('drop table gateway.api_request_s_%s', to_char(now() at time zone 'UTC' + interval '3 months', 'YYYY"_"MM')) \gexec
select is(ops.fn_keep_partitions(), 1, 'a month is made');
create temporary view tenants_table as
select c.oid::regclass as name, c.relrowsecurity, c.relforcerowsecurity
from pg_catalog.pg_class as c
where
    c.relnamespace = any('{auth,gateway,ops}'::regnamespace[]) and c.relkind in ('r', 'p')
    and (
        exists (
            select from pg_catalog.pg_attribute as a
            where a.attrelid = c.oid and a.attname in ('customer_hk', 'tenant_hk', 'token_hk', 'spending_hk', 'customer_provider_key_hk')
        )
    );
select cmp_ok((select count(*) from tenants_table)::integer, '>=', 34, 'tables with tenants'' rows');
select is_empty(
    'select t.name from tenants_table as t where not (t.relrowsecurity and t.relforcerowsecurity)', 'each forces row security'
);
select is_empty(
    $$select t.name from tenants_table as t where not exists (
        select from pg_catalog.pg_policy as p where p.polrelid = t.name and p.polname = 'owner_sees_all'
    )$$, 'and lets the owner work'
);
select is(ops.fn_keep_partitions(), 0, 'and once only');
select * from finish();
rollback;
