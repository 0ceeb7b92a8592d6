begin;
select plan(23);
select test.make_offer('maker', 'model-a');
select count(test.make_customer(c)) from unnest('{anna,ben,cleo}'::text[]) as c;
select format(
    'create table gateway.api_request_s_%s partition of gateway.api_request_s for values from (%L) to (%L)',
    to_char(m, 'YYYY_MM'), util.fn_request_key_at(m at time zone 'UTC'), util.fn_request_key_at((m + interval '1 month') at time zone 'UTC')
) from unnest('{2020-01-01,2020-02-01,2020-03-01}'::timestamp[]) as m \gexec
alter table gateway.api_request_s_2020_01 owner to onevault_owner;
alter table gateway.api_request_s_2020_02 owner to onevault_owner;
alter table gateway.api_request_s_2020_03 owner to onevault_owner;
select ops.fn_keep_partitions();
select count(test.book_at((array['anna', 'ben', 'cleo'])[1 + n % 3], '2020-01-10Z'::timestamptz + n * interval '1 minute'))
from generate_series(1, 300) as n;
select count(test.book_at((array['anna', 'ben'])[1 + n % 2], '2020-02-10Z'::timestamptz + n * interval '1 minute'))
from generate_series(1, 20) as n;
select count(test.book_at('anna', clock_timestamp()));

create view test.shape as
select c.relname::text as part, concat_ws(' ', c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole) as kind,
    pg_get_expr(c.relpartbound, c.oid) as detail
from pg_class as c where c.relname like 'api\_request\_s\_2020\_01%'
union all
select n.conname, concat_ws(' ', n.contype, n.conislocal, n.coninhcount, n.convalidated), pg_get_constraintdef(n.oid)
from pg_constraint as n where n.conrelid = to_regclass('gateway.api_request_s_2020_01')
union all
select a.attname, concat_ws(' ', a.attnum, a.attislocal, a.attinhcount, a.attnotnull), format_type(a.atttypid, a.atttypmod)
from pg_attribute as a where a.attrelid = to_regclass('gateway.api_request_s_2020_01') and a.attnum > 0
union all
select p.polname, p.polroles::text, pg_get_expr(p.polqual, p.polrelid)
from pg_policy as p where p.polrelid = to_regclass('gateway.api_request_s_2020_01')
union all
select t.tgname, t.tgenabled::text, null from pg_trigger as t where t.tgrelid = to_regclass('gateway.api_request_s_2020_01');
create temporary table shape_before as select s.* from test.shape as s;
create temporary table others_before as
select c.relname, c.oid, pg_relation_filenode(c.oid) as node from pg_class as c
where c.relname ~ '^api_request_s_\d{4}_\d{2}$' and c.relname <> 'api_request_s_2020_01';

select is(ops.fn_order_months(50, '2020-02-02 23:59Z'), null, 'not before a month has been over for two days');
select is(ops.fn_order_months(50, '2020-02-03Z'), 'copied', 'then step by step');
select is((select count(*)::integer from gateway.api_request_s_2020_01_ordered), 50, 'a few rows each');
select is_empty(
    $$select r.rolname from pg_roles as r where r.rolname like 'onevault%' and r.rolname <> 'onevault_owner'
        and has_table_privilege(r.oid, 'gateway.api_request_s_2020_01_ordered', 'select,insert,update,delete,truncate')$$,
    'which nobody else may read'
);
select is(c.relrowsecurity and c.relforcerowsecurity, true, 'nor who reads in another''s name') from pg_class as c
where c.relname = 'api_request_s_2020_01_ordered';
select throws_ok(
    'update gateway.api_request_s set customer_cost = 0, provider_cost = 0, gateway_markup = 0 where request_timestamp < ''2020-01-11Z''',
    'VG409', null, 'a change by hand would be lost'
);
select throws_ok('delete from gateway.api_request_s where request_timestamp < ''2020-01-11Z''', 'VG409', null, 'a removal, too');
create temporary table late as
select test.book_at(l.customer_bk, '2020-01-10Z', p_booked_after => interval '40 days') as hk
from (select h.customer_bk from gateway.customer_h as h where h.customer_bk in ('anna', 'ben', 'cleo') order by h.customer_hk limit 1) as l;
create temporary table rows_before as select s.tableoid::regclass::text as month, s::text as row from gateway.api_request_s as s;

select is(
    array(select ops.fn_order_months(50, '2020-02-03Z') from generate_series(1, 9)),
    '{copied,copied,copied,copied,copied,copied,ordered,null,null}'::text[],
    'what was booked meanwhile is brought, and once done nothing is done again'
);
create temporary table rows_after as select s.tableoid::regclass::text as month, s::text as row from gateway.api_request_s as s;
select is((select count(*)::integer from rows_after), 322, 'all rows are there');
select is_empty('table rows_after except table rows_before', 'as they were');
select is_empty('table rows_before except table rows_after', 'each of them');
select is_empty(
    $$select o.place from (
        select row_number() over (order by s.ctid) as place,
            row_number() over (order by s.customer_hk, s.request_timestamp, s.load_date) as wanted
        from gateway.api_request_s_2020_01 as s where s.api_request_hk <> (select l.hk from late as l)
    ) as o where o.place <> o.wanted$$, 'one customer after the other'
);
select is_empty('(select * from test.shape except table shape_before) union all (table shape_before except select * from test.shape)',
    'the month has the names, bounds, constraints and policy that it had');
select is(obj_description('gateway.api_request_s_2020_01'::regclass, 'pg_class'), null, 'and says nothing of a copy');
select is(i.indexrelid::regclass::text, 'gateway.api_request_s_2020_01_customer_hk_request_timestamp_load_da_idx', 'but it is marked')
from pg_index as i where i.indrelid = 'gateway.api_request_s_2020_01'::regclass and i.indisclustered;
select cmp_ok((select c.reltuples from pg_class as c where c.relname = 'api_request_s_2020_01'), '>', 0::real, 'and analysed');
select throws_ok(
    'insert into gateway.api_request_s select s.* from gateway.api_request_s_2020_01 as s', '23505', null, 'a request is booked once, as before'
);
select is_empty($$select c.oid::regclass from pg_class as c where c.relname like '%ordered%'$$, 'no copy is left');
select is_empty(
    $$select c.relname from pg_class as c inner join others_before as o on c.relname = o.relname
        where (c.oid, pg_relation_filenode(c.oid)) <> (o.oid, o.node)
            or exists (select from pg_index as i where i.indrelid = c.oid and i.indisclustered)$$,
    'and the next month, which ended too lately, and this one are as they were'
);

select test.book_at('anna', '2019-01-01Z');
select is(ops.fn_order_months(), null, 'nothing is done while rows have no month of their own');
delete from gateway.api_request_s_default where true;
select is(
    array(select ops.fn_order_months() from generate_series(1, 3)), '{copied,ordered,null}'::text[], 'else the next that is over'
);
select is_empty(
    $$select c.relname from pg_class as c inner join others_before as o on c.relname = o.relname
        where c.oid <> o.oid and c.relname <> 'api_request_s_2020_02'$$, 'this month, and one without rows, are left alone'
);
select is_empty('select v.* from ops.invariant_violation as v', 'and all is accounted for');
select * from finish();
rollback;
