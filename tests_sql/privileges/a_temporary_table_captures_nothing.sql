-- A role that could make temporary tables could put them before the real ones: pg_temp is searched first wherever a name
-- has no schema. Here the front may, and makes one for each table of the house, empty and its own.
begin;
select plan(5);
select test.make_offer('maker', 'model-a', 3, 7);
select test.make_customer('user');
create temporary table before as select d.* from test.route(sha256('user/token')) as d;
select test.settle(test.decision(to_jsonb(b))) from before as b;
grant select on before to onevault_app;
select format('grant temporary on database %I to onevault_app', current_database()) \gexec
set local role onevault_app;
select format('create temporary table %I (like pg_catalog.pg_class)', c.relname)
from pg_catalog.pg_class as c
where
    c.relnamespace = any('{auth,gateway,ops,business_vault}'::regnamespace[]) and c.relkind in ('r', 'p', 'v')
    and not c.relispartition
group by c.relname \gexec
create temporary table after as
select d.* from gateway.sp_route_request(
    sha256('user/token'),
    '{"ticket": "00112233445566778899aabbccddeeff", "surface": "chat", "capability": "chat", "request_type": "completion",
    "prompt_bytes": 100, "messages": 1, "stream": false}', 'unix:/test'
) as d;
grant select on after to public;
create temporary table told as select gateway.sp_get_usage(sha256('user/token'), '{}') as usage, gateway.sp_list_models(sha256('user/token')) as models;
grant select on told to public;
reset role;
select cmp_ok((select count(*) from pg_catalog.pg_class as c where c.relnamespace = pg_my_temp_schema())::integer, '>', 50, 'all are in the way');
select is((a.status, a.provider, a.model), (b.status, b.provider, b.model), 'a call is routed as before') from after as a, before as b;
select isnt(a.request_id, null, 'and stands in the books') from after as a;
select is(t.usage #>> '{body,data,0,requests}', '1', 'usage is read from the books') from told as t;
select is(t.models #>> '{body,data,0,id}', 'model-a', 'and models too') from told as t;
select * from finish();
rollback;
