-- Mutants: a limit that is held and never given back, one that holds for its own scope only, a wide limit that is taken
-- when a narrow one refuses.
begin;
select plan(27);
select test.make_offer('maker', 'model-a', 0, 1000000, '{"max_output_tokens": 1000}');
select test.make_tenant('house');
select test.make_customer('left', '{"markup_percent": 0}', 'house');
select test.make_customer('right', '{"markup_percent": 0}', 'house');
select test.make_customer('stranger', '{"markup_percent": 0}', 'elsewhere');
insert into admin.usage_limit (tenant, unit, period, amount) values ('house', 'USD', 'WEEK', 500);
select is(l.limit_name, 'house USD WEEK', 'a limit is named for what it limits') from admin.usage_limit as l;

create temporary table first as select test.route(sha256('left/token'), '{"max_output_tokens": 300}') as d;
select is((d).status, 'routed', 'one customer takes of the tenant''s budget') from first;
create temporary table second as select test.route(sha256('right/token'), '{"max_output_tokens": 300}') as d;
select is(
    ((d).detail::jsonb -> 'max_output_tokens', l.held), ('200'::jsonb, 500::numeric),
    'another one gets what is left'
) from second, ops.usage_limit as l;
create temporary table refused as select test.route(sha256('left/token'), '{"max_output_tokens": 1}') as d;
select is(((d).status, (d).http_status), ('budget_exceeded'::text, 402), 'then nothing is left') from refused;
select is(
    (d).detail::jsonb #- '{budget,resets_at}',
    '{"budget": {"limit": "house USD WEEK", "scope": "tenant", "period": "week", "unit": "usd", "provider": null,
      "model": null, "needed": 1, "allowed": 500, "limit_usd": 500, "spent_usd": 0, "held_usd": 500, "needed_usd": 1}}',
    'and the refusal names the budget'
) from refused;
select matches((d).message, 'The budget ''house USD WEEK'' of this tenant is 500 USD a week; 0 are spent and 500 held', 'in words') from refused;
select is((test.scope_of('left')).day_held_usd, 300::numeric, 'what a limit refuses is held nowhere');
select is((test.route(sha256('stranger/token'), '{"max_output_tokens": 100}')).status, 'routed', 'other tenants are others');
select is((test.settle(d, '{"input_uncached": 0, "output": 10}')) ->> 'status', 'SUCCESS', 'the first ends') from first;
select is((l.spent, l.held), (10::numeric, 200::numeric), 'a hold becomes what was used') from ops.usage_limit as l;
select is(count(*), 0::bigint, 'and all is as vault and reservations say') from ops.invariant_violation as v;

-- A budget that begins late counts what was spent before.
insert into admin.usage_limit (token_id, unit, period, amount) values ('left/token', 'USD', 'DAY', 12);
select is((l.spent, l.held), (10::numeric, 0::numeric), 'the day''s spending is in it')
from ops.usage_limit as l where l.period = 'DAY';
select is(
    (test.route(sha256('left/token'), '{"max_output_tokens": 3}')).detail::jsonb #>> '{budget,scope}', 'token',
    'a token has its own'
);
select is((test.route(sha256('left/token'), '{"max_output_tokens": 2}')).status, 'routed', 'to the last cent');

-- A raise ends by itself.
update admin.usage_limit set raised_amount = 20, raised_until = clock_timestamp() + interval '1 hour'
where token_id = 'left/token';
select is((test.route(sha256('left/token'), '{"max_output_tokens": 8}')).status, 'routed', 'a raise holds at once');
update ops.usage_limit set raised_until = clock_timestamp() - interval '1 second' where period = 'DAY';
select is((test.route(sha256('left/token'), '{"max_output_tokens": 1}')).status, 'budget_exceeded', 'until it ends');
delete from admin.usage_limit;
select is((p.limit_hks is null)::text, 'true', 'a deleted limit holds for nobody') from ops.principal as p where p.token_bk = 'left/token';

-- Calls under way at once.
insert into admin.usage_limit (customer, unit, amount) values ('right', 'PARALLEL', 2);
select is((l.spent, l.held), (0::numeric, 0::numeric), 'calls from before are not held by a limit that is new') from ops.usage_limit as l;
create temporary table third as select test.route(sha256('right/token'), '{"max_output_tokens": 1}') as d;
select is((test.route(sha256('right/token'), '{"max_output_tokens": 1}')).status, 'routed', 'two at once');
create temporary table fourth as select test.route(sha256('right/token'), '{"max_output_tokens": 1}') as d;
select is(((d).status, (d).http_status, (d).retry_after_ms), ('rate_limited'::text, 429, 1000::bigint), 'not three') from fourth;
select test.settle(d) from third;
select is((test.route(sha256('right/token'), '{"max_output_tokens": 1}')).status, 'routed', 'when one has ended, another');

-- Requests of a period.
insert into admin.usage_limit (customer, unit, period, amount) values ('stranger', 'REQUESTS', 'MONTH', 2);
create temporary table fifth as select test.route(sha256('stranger/token'), '{"max_output_tokens": 1}') as d;
select test.settle(d) from fifth;
select is((l.spent, l.held), (1::numeric, 0::numeric), 'a request is one') from ops.usage_limit as l where l.unit = 'REQUESTS';
select is((test.route(sha256('stranger/token'), '{"max_output_tokens": 1}')).status, 'routed', 'the second of two');
create temporary table sixth as select test.route(sha256('stranger/token'), '{"max_output_tokens": 1}') as d;
select is(((d).status, (d).http_status, (d).retry_after_ms > 1000), ('rate_limited'::text, 429, true), 'the third waits for the next month') from sixth;

-- A soft limit only tells.
insert into admin.usage_limit (customer, unit, period, amount, is_hard) values ('stranger', 'USD', 'TOTAL', 0.5, false);
delete from admin.usage_limit where unit = 'REQUESTS';
select is((test.route(sha256('stranger/token'), '{"max_output_tokens": 1}')).status, 'routed', 'a soft limit refuses nothing');
select is(count(*), 0::bigint, 'and still all is as vault and reservations say') from ops.invariant_violation as v;
select ops.fn_rebuild_hot_state();
select is(count(*), 0::bigint, 'also when it is made anew') from ops.invariant_violation as v;
select * from finish();
rollback;
