begin;
select plan(16);
select test.make_offer('maker', 'model-a', 0, 1000000, '{"default_output_tokens": 1}');
-- His day is another than that of UTC, whenever this runs.
select case when extract(hour from now() at time zone 'UTC') < 10 then 'Pacific/Pago_Pago' else 'Pacific/Kiritimati' end as zone \gset
select test.make_tenant('far tenant', jsonb_build_object('time_zone', :'zone'));
select test.make_customer('client', '{}', 'far tenant');
create function pg_temp.rule() returns text language sql as $$
    select split_part((test.route(sha256('client/token'))).route_reason, ':', 1)
$$;
create function pg_temp.explained(p_request text) returns text language sql as $$
    select split_part(e.reason, ':', 1) from admin.explain_route('client', p_request::jsonb) as e where e.chosen
$$;
select (now() at time zone :'zone')::date as today \gset
insert into admin.routing_rule (rule_name, rule_priority, conditions) values ('clever', 1, '{"entitlements": "advanced_routing"}');
select is(pg_temp.rule(), 'default', 'no plan');
insert into admin.subscription (customer, plan, valid_from) values ('client', 'advanced_routing', :'today'::date + 1);
select is(pg_temp.rule(), 'default', 'not before the first day');
update admin.routing_rule set conditions = '{"entitlements": {"exists": true}}' where rule_name = 'clever';
select is(pg_temp.rule(), 'default', 'nothing is had');
insert into admin.subscription (customer, plan, valid_from) values ('client', 'analytics', :'today');
select is(pg_temp.rule(), 'clever', 'something is');
update admin.routing_rule set conditions = '{"entitlements": ["priority_support", "advanced_routing"]}' where rule_name = 'clever';
select is(pg_temp.rule(), 'default', 'something else');
insert into admin.subscription (customer, plan, valid_from, valid_to, trial_until)
values ('client', 'advanced_routing', :'today', :'today'::date + 1, :'today'::date + 1);
select is(pg_temp.rule(), 'clever', 'one of them, on its only day and on trial');
select is(pg_temp.explained('{}') || '/' || pg_temp.explained('{"token": "token"}'), 'clever/clever', 'explain_route looks at it, too');
select is(gateway.fn_list_entitlements(util.hash_key('client'), :'today'), '{advanced_routing,analytics}', 'what he has today');
select is(gateway.fn_list_entitlements(util.hash_key('client'), :'today'::date - 1), '{}', 'and had yesterday');
-- Midnight: the row of ops.principal is what it was the day before, and says other things.
select is(
    (select m.rule from ops.principal as p, lateral gateway.fn_match_rule(p, null::gateway.request_features, 0, now() - interval '1 day', null, null) as m
        where p.customer_bk = 'client')::text ~ 'clever', false, 'nobody has to be awake at midnight'
);
update admin.plan set entitlements = '{else}' where plan = 'advanced_routing';
select is(pg_temp.rule(), 'default', 'what a plan entitles to is in force from the next call on');
update admin.plan set entitlements = '{advanced_routing}' where plan = 'advanced_routing';
select is(pg_temp.rule(), 'clever', 'and what it entitles to again');
delete from admin.subscription where plan = 'advanced_routing' and valid_from = :'today';
select is(pg_temp.rule(), 'default', 'so is what is taken back');
select throws_ok($$insert into admin.routing_rule (rule_name, conditions) values ('x', '{"entitlements": "Advanced Routing"}')$$,
    'VG400', 'This condition can never hold: ''entitlements'' is never "Advanced Routing"', 'no plan has such a word');
select throws_ok($$insert into admin.routing_rule (rule_name, conditions) values ('x', '{"entitlement": "word"}')$$, 'VG400', null, 'no call has that');
select is_empty(
    $$select p.entitlements, c.entitlements from ops.principal as p inner join ops.current_principal as c on p.token_hk = c.token_hk
        where p.entitlements is distinct from c.entitlements$$, 'and principals say what the vault says'
);
select * from finish();
rollback;
