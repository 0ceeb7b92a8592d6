-- Mutants: a threshold that is told again and again, holds taken for spending, a tenant's budget that is told to strangers.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('c', '{"markup_percent": 0, "cost_budget_daily": 10, "webhook_url": "https://c.example/hook"}', 'house');
select test.make_customer('d', '{"markup_percent": 0, "webhook_url": "https://d.example/hook"}', 'house');
select test.make_customer('e', '{"markup_percent": 0, "webhook_url": "https://e.example/hook"}', 'elsewhere');
create function pg_temp.told() returns text language sql as $$
    select string_agg(concat_ws(' ', b.body #>> '{data,customer}', b.body #>> '{data,scope}', b.body #>> '{data,period}', b.body #>> '{data,threshold_percent}'), ', ' order by q.msg_id)
    from pgmq.q_webhook as q cross join lateral (select (q.message ->> 'body')::jsonb as body) as b;
$$;
create function pg_temp.spend(p_tokens integer) returns void language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(sha256('c/token'), jsonb_build_object('max_output_tokens', p_tokens));
begin
    perform test.settle(v_decision, jsonb_build_object('input_uncached', 0, 'output', p_tokens));
end
$$;
select is(ops.fn_tell_budgets(), 0, 'nothing is spent');
create temporary table held as select test.route(sha256('c/token'), '{"max_output_tokens": 9}') as d;
select is(ops.fn_tell_budgets(), 0, 'what is held is not spent');
select test.settle(d, '{"input_uncached": 0, "output": 5}') from held;
-- As the clock does it: without a tenant of its own.
set local role onevault_owner;
select ops.fn_tell_budgets() as told \gset
reset role;
select is(:told, 1, 'half of it is');
select is(pg_temp.told(), 'c customer daily 50', 'the customer is told');
select is(ops.fn_tell_budgets(), 0, 'once');
select pg_temp.spend(5);
select ops.fn_tell_budgets();
select is(pg_temp.told(), 'c customer daily 50, c customer daily 100', 'who passes two at once is told of the higher one');
insert into admin.usage_limit (tenant, unit, period, amount, is_hard) values ('house', 'USD', 'MONTH', 12, false);
delete from pgmq.q_webhook;
select ops.fn_tell_budgets();
select is(pg_temp.told(), 'c tenant monthly 80, d tenant monthly 80', 'a tenant''s budget is told to all its customers, a soft one too');
update admin.usage_limit set amount = 100 where tenant = 'house';
select is(ops.fn_tell_budgets(), 0, 'one that was raised is not told again');
select is(
    (b.data ->> 'is_hard', b.data ->> 'limit_name', (b.data ->> 'spent_usd')::numeric),
    ('false'::text, 'house USD MONTH'::text, 10::numeric), 'with its figures'
)
from (select (q.message ->> 'body')::jsonb -> 'data' as data from pgmq.q_webhook as q order by q.msg_id limit 1) as b;
select * from finish();
rollback;
