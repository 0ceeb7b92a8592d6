-- Mutants: a full provider that is not left, a limit of a model that counts what another one used.
begin;
select plan(18);
select test.make_offer('cheap', 'model-a', 0, 1000000, '{"max_output_tokens": 1000}');
select test.make_offer('dear', 'model-a', 0, 2000000, '{"max_output_tokens": 1000}');
select test.make_customer('asker', '{"markup_percent": 0}');
insert into admin.usage_limit (customer, provider, unit, period, amount) values ('asker', 'CHEAP', 'REQUESTS', 'DAY', 2);
select is((l.limit_name, l.provider), ('asker CHEAP REQUESTS DAY'::text, 'cheap'::text), 'names are those of the vault')
from admin.usage_limit as l;

create temporary table first as select test.route(sha256('asker/token'), '{"max_output_tokens": 5}') as d;
select is((d).provider, 'cheap', 'the cheapest one') from first;
create temporary table second as select test.route(sha256('asker/token'), '{"max_output_tokens": 5}') as d;
select is((d).provider, 'cheap', 'the second call') from second;
create temporary table third as select test.route(sha256('asker/token'), '{"max_output_tokens": 5}') as d;
select is(((d).status, (d).provider), ('routed'::text, 'dear'::text), 'the third goes elsewhere') from third;
select is(l.held, 2::numeric, 'and holds nothing of the full one') from ops.usage_limit as l;
select is(e.provider, 'dear', 'as explain_route says')
from admin.explain_route('asker', '{"max_output_tokens": 5}') as e where e.chosen;
select is(e.reason, 'dropped: a usage limit has no room for it', 'and why not the other')
from admin.explain_route('asker', '{"max_output_tokens": 5, "token": "token"}') as e where e.provider = 'cheap';
create temporary table named as select test.route(sha256('asker/token'), '{"max_output_tokens": 5, "model": "cheap/model-a"}') as d;
select is(((d).status, (d).http_status), ('rate_limited'::text, 429), 'who names it is refused') from named;
select matches((d).message, 'More than 2 requests a day for this customer at cheap', 'with the limit') from named;

-- What ended elsewhere is not counted here.
select gateway.sp_read_messages(100, 60);
select gateway.sp_record_result(test.make_result(d, jsonb_build_array(
    test.one_attempt(d, null, '{"outcome": "ERROR", "class": "server_error", "output_bytes": 0}'),
    test.one_attempt(d, '{"input_uncached": 0, "output": 5}', jsonb_build_object('number', 2, 'offer', (
        select r.candidates -> 1 -> 'offer' from ops.reservation as r where r.api_request_hk = uuid_send((d).request_id::uuid)
    )))
))) from first;
select is((l.spent, l.held), (0::numeric, 1::numeric), 'a call that another provider answered') from ops.usage_limit as l;
select is(count(*), 0::bigint, 'as the books say') from ops.invariant_violation as v;
select is((test.route(sha256('asker/token'), '{"max_output_tokens": 5, "model": "cheap/model-a"}')).status, 'routed', 'leaves room');
select test.settle(d) from third;
select ok(r.is_same, 'what went elsewhere is decided again as it was') from third as t, admin.replay((t.d).request_id::uuid) as r;

-- Money of a model: it cannot go elsewhere, so it gets shorter.
delete from admin.usage_limit;
insert into admin.usage_limit (customer, model, unit, period, amount) values ('asker', 'model-a', 'USD', 'TOTAL', 1020);
select is(l.spent, 20::numeric, 'in all: since ever') from ops.usage_limit as l;
select is(
    (test.route(sha256('asker/token'), '{"max_output_tokens": 600, "model": "dear/model-a"}')).detail::jsonb,
    '{"max_output_tokens": 500, "by": "budget"}', 'a shorter answer for what is left'
);
select is((test.route(sha256('asker/token'), '{"max_output_tokens": 600}')).status, 'budget_exceeded', 'then none');

-- Nonsense
select throws_ok(
    $$ insert into admin.usage_limit (customer, unit, period, amount) values ('asker', 'USD', 'MINUTE', 5) $$, 'VG400',
    'Money is limited by the day or longer'
);
select throws_ok(
    $$ insert into admin.usage_limit (unit, period, amount) values ('USD', 'DAY', 5) $$, 'VG400',
    'A limit is for a tenant, a customer or a token'
);
select * from finish();
rollback;
