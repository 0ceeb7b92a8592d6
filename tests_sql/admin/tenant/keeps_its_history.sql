begin;
select plan(9);
insert into admin.tenant (tenant, time_zone) values ('Clinics', 'europe/berlin');
select results_eq(
    $$select t.tenant, t.tenant_name, t.time_zone, t.markup_percent, t.address_policy, t.is_active
        from admin.tenant as t where t.tenant = 'Clinics'$$,
    $$values ('Clinics', 'Clinics', 'Europe/Berlin', 20::numeric, 'SHORTENED', true)$$, 'what is not given has a default'
);
update admin.tenant set markup_percent = 33.5, address_policy = 'full' where tenant = 'Clinics';
update admin.tenant set markup_percent = 33.5 where tenant = 'Clinics';
select is((select count(*) from admin.tenant_history where tenant = 'Clinics'), 2::bigint, 'the same again is no new version');
select is((select count(*) from admin.tenant where tenant = 'Clinics'), 1::bigint, 'one row a current thing');
select is((select address_policy from admin.tenant where tenant = 'Clinics'), 'FULL', 'words are taken in any case');
select results_eq(
    $$select h.markup_percent, h.load_end_date is null from admin.tenant_history as h
        where h.tenant = 'Clinics' order by h.load_date$$,
    $$values (20::numeric, false), (33.5, true)$$, 'every version is kept'
);
select is(
    (select array_agg(distinct h.record_source) from admin.tenant_history as h where h.tenant = 'Clinics'),
    array[session_user::text], 'with the SQL user who made it'
);
select is(
    (select h.load_end_date from admin.tenant_history as h where h.tenant = 'Clinics' order by h.load_date limit 1),
    (select h.load_date from admin.tenant_history as h where h.tenant = 'Clinics' order by h.load_date desc limit 1),
    'one ends when the next begins'
);
delete from admin.tenant where tenant = 'Clinics';
select is_empty($$select from admin.tenant where tenant = 'Clinics'$$, 'deleted, it is gone');
select is((select count(*) from admin.tenant_history where tenant = 'Clinics' and load_end_date is null), 0::bigint,
    'and its history has ended, not vanished');
select * from finish();
rollback;
