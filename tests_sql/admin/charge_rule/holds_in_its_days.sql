begin;
select plan(13);
select test.make_offer('maker', 'model-a');
select test.make_customer('far', '{}', 'far tenant');
select test.make_tenant('far tenant', '{"time_zone": "Pacific/Kiritimati"}');
select test.make_customer('west', '{}', 'west tenant');
select test.make_tenant('west tenant', '{"time_zone": "America/Los_Angeles"}');
insert into admin.plan (plan, monthly_fee_usd) values ('gold', 50);
create function pg_temp.holds(p_customer text, p_now timestamptz) returns text language sql as $$
    select coalesce((
        select string_agg(r ->> 'rule', ',')
        from jsonb_array_elements(gateway.fn_open_charge_rules(p.charge_rules, 0, p_now)) as r
    ), '-') from ops.principal as p where p.customer_bk = p_customer;
$$;
insert into admin.charge_rule (charge_rule, markup_percent, valid_from, valid_to) values ('spring', 1, '2026-03-01', '2026-04-01');
-- Kiritimati is 14 hours ahead of UTC; Los Angeles 8 behind it, and 7 from the 8th of March 2026 on.
select is(
    array[pg_temp.holds('far', '2026-02-28 09:59:59.999999+00'), pg_temp.holds('far', '2026-02-28 10:00+00'),
        pg_temp.holds('far', '2026-03-31 09:59:59.999999+00'), pg_temp.holds('far', '2026-03-31 10:00+00')],
    '{-,spring,spring,-}', 'from the tenant''s first midnight to its last'
);
select is(
    array[pg_temp.holds('west', '2026-03-01 07:59:59.999999+00'), pg_temp.holds('west', '2026-03-01 08:00+00'),
        pg_temp.holds('west', '2026-04-01 06:59:59.999999+00'), pg_temp.holds('west', '2026-04-01 07:00+00')],
    '{-,spring,spring,-}', 'one rule for everybody, each by his own clock, whatever it does in between'
);
update admin.tenant set time_zone = 'UTC' where tenant = 'west tenant';
select is(pg_temp.holds('west', '2026-03-01 00:00+00'), 'spring', 'a tenant that moves takes its days along');
insert into admin.charge_rule (charge_rule, plan, markup_percent, valid_from, valid_to) values ('golden', 'gold', 2, '2026-05-01', '2026-12-01');
select is(pg_temp.holds('far', '2026-06-15 00:00+00'), '-', 'a plan''s rule is nobody''s without the plan');
insert into admin.subscription (customer, plan, valid_from, valid_to)
values ('far', 'gold', '2026-04-01', '2026-06-01'), ('far', 'gold', '2026-07-01', '2027-01-01');
select is(pg_temp.holds('far', '2026-06-15 00:00+00'), '-', 'nor between two times of it');
select is(
    array[pg_temp.holds('far', '2026-04-30 09:59:59+00'), pg_temp.holds('far', '2026-04-30 10:00+00'),
        pg_temp.holds('far', '2026-05-31 09:59:59+00'), pg_temp.holds('far', '2026-05-31 10:00+00')],
    '{-,golden,golden,-}', 'in the days that both have'
);
select is(
    array[pg_temp.holds('far', '2026-06-30 09:59:59+00'), pg_temp.holds('far', '2026-06-30 10:00+00'),
        pg_temp.holds('far', '2026-11-30 09:59:59+00'), pg_temp.holds('far', '2026-11-30 10:00+00')],
    '{-,golden,golden,-}', 'and each time of it'
);
select is(pg_temp.holds('west', '2026-05-15 00:00+00'), '-', 'who does not have it is charged as ever');
update admin.subscription set valid_to = '2026-05-10' where customer = 'far' and valid_from = '2026-04-01';
select is(pg_temp.holds('far', '2026-05-15 00:00+00'), '-', 'one that ends earlier ends it');
delete from admin.subscription where customer = 'far' and valid_from = '2026-07-01';
select is(pg_temp.holds('far', '2026-08-15 00:00+00'), '-', 'one that is taken back was none');
select results_eq(
    $$select p.customer_bk, p.charge_rules from ops.principal as p where p.customer_bk in ('far', 'west') order by 1$$,
    $$select c.customer_bk, c.charge_rules from ops.current_principal as c where c.customer_bk in ('far', 'west') order by 1$$,
    'what routing reads is what the vault says'
);
delete from ops.principal where true;
select ops.fn_rebuild_hot_state();
select is(pg_temp.holds('far', '2026-03-15 00:00+00'), 'spring', 'and can be had again from it');
select test.make_customer('new', '{}', 'far tenant');
select is(pg_temp.holds('new', '2026-03-15 00:00+00'), 'spring', 'who comes later has it from the first call on');
select * from finish();
rollback;
