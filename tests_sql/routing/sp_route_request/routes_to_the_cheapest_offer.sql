begin;
select plan(9);
select test.make_offer('dear', 'shared-model', 10, 20);
select test.make_offer('cheap', 'shared-model', 1, 2);
select test.make_customer('router');
create temporary table decision as
select d.* from test.route(sha256('router/token'), '{"model": "shared-model", "max_output_tokens": 50}') as d;
select is(d.status, 'routed') from decision as d;
select is(d.provider, 'cheap', 'the cheapest comes first') from decision as d;
select is(d.queue, 'standard', 'in the queue of the tier') from decision as d;
select is(
    (
        select array_agg(c ->> 'provider') from pgmq.q_standard as q, jsonb_array_elements(q.message -> 'candidates') as c
        where q.msg_id = d.msg_id
    ), '{cheap,dear}', 'the next best is the way out'
) from decision as d;
select is(
    r.held_usd, round((gateway.fn_estimate_prompt_tokens(100, 0, 1) * 10 + 50 * 20) / 1000000.0 * 1.2, 10),
    'held is the dearest candidate''s worst case with markup'
) from ops.reservation as r, decision as d where r.api_request_hk = uuid_send(d.request_id::uuid);
select is((test.scope_of('router')).day_held_usd, r.held_usd, 'the day holds it')
from ops.reservation as r, decision as d where r.api_request_hk = uuid_send(d.request_id::uuid);
select is((test.scope_of('router')).month_held_usd, (test.scope_of('router')).day_held_usd, 'and the month');
select is(count(*)::integer, 1, 'one hub row') from gateway.api_request_h as h, decision as d
where h.api_request_hk = uuid_send(d.request_id::uuid) and h.api_request_bk = d.request_id;
select is(
    (select array_agg(k order by k) from pgmq.q_standard as q, jsonb_object_keys(q.message) as k where q.msg_id = d.msg_id),
    '{candidates,customer,deadline_ms,reply_to,request,ticket}', 'the message holds the decision and nothing else'
) from decision as d;
select * from finish();
rollback;
