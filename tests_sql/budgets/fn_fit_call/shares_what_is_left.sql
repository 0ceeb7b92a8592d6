-- Mutants: the first call without a length holds all that is left; what a model usually answers is not looked at; a call
-- is cut though there is money for many like it.
begin;
select plan(13);
-- 1,000 USD a million: a token of output is 0.001 USD, the prompt is free. A call that names no length may cost 4 USD.
select test.make_offer('maker', 'model-a', 0, 1000, '{"max_output_tokens": 8000, "default_output_tokens": 4000}');
create function pg_temp.limit_of(p_decision gateway.route_decision) returns integer language sql as $$
    select (q.message #>> '{candidates,0,max_output_tokens}')::integer from pgmq.q_standard as q where q.msg_id = p_decision.msg_id;
$$;
select test.make_customer('rich', '{"cost_budget_daily": 32, "markup_percent": 0}');
create temporary table whole as select test.route(sha256('rich/token')) as d;
select is((pg_temp.limit_of(d), (d).detail), (4000, null::text), 'where eight are paid for the answer is whole') from whole;
select is(pg_temp.limit_of(test.route(sha256('rich/token'))), 3500, 'then it is an eighth of what is left');
select is(pg_temp.limit_of(test.route(sha256('rich/token'), '{"max_output_tokens": 8000}')), 8000, 'who asks for so much gets it');

-- Twenty calls of a hundred tokens are paid for.
select test.make_customer('poor', '{"cost_budget_monthly": 2, "markup_percent": 0}');
select is(pg_temp.limit_of(test.route(sha256('poor/token'))), 256, 'of a model that nobody knows yet something is held');
select util.fn_load_satellite(
    'gateway.offer_usage_s', jsonb_build_object('offer_hk', util.hash_key('maker', 'model-a')),
    '{"usual_output": {"completion": 100, "essay": 3000}}', 'measured'
);
select is(
    (select count(*) from generate_series(1, 15) as n
        cross join lateral test.route(sha256('poor/token'), jsonb_build_object('ticket', n::text)) as d where (d).status = 'routed'),
    15::bigint, 'of one that is known what calls of this kind need'
);
select cmp_ok(s.month_held_usd, '>', 15 * 0.1, 'all at once') from test.scope_of('poor') as s;
select is(
    pg_temp.limit_of(test.route(sha256('poor/token'), '{"request_type": "essay", "max_output_tokens": 100}')), 100,
    'other kinds need other lengths'
);
select is((s.month_spent_usd + s.month_held_usd) <= 2, true, 'never more than there is') from test.scope_of('poor') as s;
select test.make_customer('asker', '{"cost_budget_monthly": 2, "markup_percent": 0}');
select is(
    (test.route(sha256('asker/token'), '{"max_output_tokens": 4000}')).detail::jsonb,
    '{"max_output_tokens": 2000, "by": "budget"}', 'who names a length gets what is left'
);
select is((test.route(sha256('asker/token'))).status, 'budget_exceeded', 'and nobody gets what is not there');

-- What costs nothing is not shared out.
select test.make_offer('maker', 'free', 1000, 0, '{"max_output_tokens": 8000, "default_output_tokens": 4000}');
select test.make_customer('tight', '{"cost_budget_monthly": 0.2, "markup_percent": 0}');
select is(pg_temp.limit_of(test.route(sha256('tight/token'), '{"model": "free"}')), 4000, 'an answer without a price is whole');

-- A prompt is held as prompts of the model really are, or a token a byte.
select test.make_offer('maker', 'model-b', 1000, 1);
select util.fn_load_satellite(
    'gateway.offer_usage_s', jsonb_build_object('offer_hk', util.hash_key('maker', 'model-b')), '{"prompt_factor": 0.5}', 'measured'
);
select test.make_customer('strict', '{"markup_percent": 0, "is_strict": true}');
create temporary table held as
select c.name, test.route(sha256(convert_to(c.name || '/token', 'UTF8')), '{"model": "model-b", "max_output_tokens": 0, "prompt_bytes": 2000}') as d
from (values ('rich'), ('strict')) as c (name);
select is(r.held_usd, 0.512::numeric, 'half of the estimate: 1,024 tokens') from held as h, ops.reservation as r
where h.name = 'rich' and r.api_request_hk = uuid_send((h.d).request_id::uuid);
select is(r.held_usd >= 2.0, true, 'all of 2,000 bytes') from held as h, ops.reservation as r
where h.name = 'strict' and r.api_request_hk = uuid_send((h.d).request_id::uuid);
select * from finish();
rollback;
