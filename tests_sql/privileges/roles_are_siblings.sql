begin;
select plan(2);
select is_empty(
    $$select m.roleid::regrole, m.member::regrole from pg_catalog.pg_auth_members as m
        where m.member::regrole::text in ('onevault_app', 'onevault_worker', 'onevault_dba', 'onevault_bi')$$,
    'no service is a member of another role'
);
select is_empty(
    $$select r.rolname from pg_catalog.pg_roles as r where r.rolname in ('onevault_owner', 'onevault_reader') and r.rolcanlogin$$,
    'nobody logs in as the owner'
);
select * from finish();
rollback;
