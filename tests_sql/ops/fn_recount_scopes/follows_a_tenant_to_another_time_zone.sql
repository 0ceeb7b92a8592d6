-- Mutants: a window that begins at zero because its number changed; one that keeps what was spent before it began.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_tenant('mover', '{"time_zone": "UTC"}');
select test.make_customer('c', '{"markup_percent": 0, "cost_budget_daily": 100, "cost_budget_monthly": 100}', 'mover');
-- A zone in which today began less than an hour ago, or a little more: what was spent two hours ago was yesterday there.
create temporary table zone as
select z.name, (now() at time zone z.name)::time as clock
from pg_timezone_names as z
where z.name ~ '^Etc/GMT[+-]' and (now() at time zone z.name)::time < '01:00' order by z.name limit 1;
select is(count(*), 1::bigint, 'somewhere a day has just begun') from zone;
insert into admin.usage_limit (tenant, unit, period, amount) values ('mover', 'USD', 'DAY', 100), ('mover', 'USD', 'TOTAL', 100);
select
    test.book_at('c', now() - interval '2 hours', '{"customer_cost": 7, "gateway_markup": 5}'),
    test.book_at('c', now() - interval '1 second', '{"customer_cost": 2, "gateway_markup": 0}');
select ops.fn_rebuild_hot_state();
create temporary table held as select test.route(sha256('c/token'), '{"max_output_tokens": 5}') as d;
select is((d).status, 'routed', 'a call is under way') from held;
update admin.tenant set time_zone = z.name from zone as z where tenant = 'mover';
select is((s.day_spent_usd, s.day_number), (2::numeric, ((now() at time zone z.name)::date - date '1970-01-01')), 'today is shorter there')
from test.scope_of('c') as s, zone as z;
select is(l.spent, 2::numeric, 'for limits too') from ops.usage_limit as l where l.period = 'DAY';
select is(l.spent, 9::numeric, 'and in all it is what it was') from ops.usage_limit as l where l.period = 'TOTAL';
select is(count(*), 0::bigint, 'as the books say') from ops.invariant_violation as v;
select is(test.settle(d, '{"input_uncached": 0, "output": 5}') ->> 'status', 'SUCCESS', 'what was under way is booked') from held;
select is(count(*), 0::bigint, 'and still all is as the books say') from ops.invariant_violation as v;
select is(
    (test.route(sha256('c/token'), '{"max_output_tokens": 94}')).detail::jsonb -> 'max_output_tokens', '86', 'and what was spent stays spent'
);
select * from finish();
rollback;
