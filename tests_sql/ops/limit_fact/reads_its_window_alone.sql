begin;
select plan(3);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select format(
    'create table gateway.api_request_s_past partition of gateway.api_request_s for values from (%L) to (%L)',
    util.fn_request_key_at(now() - interval '100 days'), util.fn_request_key_at(now() - interval '70 days')
) \gexec
select count(test.book_at('user', now() - d * interval '1 day', '{"customer_cost": 1, "gateway_markup": -1}'))
from unnest('{80,75}'::integer[]) as d;
select test.book_at('user', now(), '{"customer_cost": 1, "gateway_markup": -1}');
analyze gateway.api_request_s;
insert into admin.usage_limit (limit_name, tenant, unit, period, amount)
values ('month', 'test tenant', 'USD', 'MONTH', 1000), ('ever', 'test tenant', 'REQUESTS', 'TOTAL', 1000);
select is(f.spent, 1.0000000000, 'a month''s sum is that of the month') from ops.limit_fact as f where f.limit_name = 'month';
select is(f.spent, 3::numeric, 'what has no window has all') from ops.limit_fact as f where f.limit_name = 'ever';
create temporary table plan (line text);
do $$
declare
    v_line text;
begin
    for v_line in execute 'explain (analyze, costs off, timing off, summary off, buffers off) '
        'select f.spent from ops.limit_fact as f where f.limit_name = ''month''' loop
        insert into plan values (v_line);
    end loop;
end
$$;
select ok(bool_or(p.line ~ 'api_request_s_past' and p.line ~ 'never executed'), 'and what is older is not read') from plan as p;
select * from finish();
rollback;
