begin;
select plan(2);
select is_empty(
    $$select p.oid::regprocedure from pg_catalog.pg_proc as p
        where p.pronamespace = any('{util,auth,gateway,ops,business_vault,admin}'::regnamespace[]) and p.prosecdef
            and not coalesce(p.proconfig @> '{"search_path=\"\""}', false)$$,
    'whoever calls them cannot put names of his own in their way'
);
select is_empty(
    $$select p.oid::regprocedure from pg_catalog.pg_proc as p
        inner join pg_catalog.pg_language as l on p.prolang = l.oid
        where p.pronamespace = any('{util,auth,gateway,ops,business_vault,admin}'::regnamespace[]) and l.lanname = 'plpgsql'
            and not coalesce(p.proconfig @> '{"search_path=\"\""}', false)$$,
    'nor can he of any function whose names are looked up when it runs'
);
select * from finish();
rollback;
