-- Mutants: a size that the road does not ask for, one that explain_route forgets.
begin;
select plan(3);
select test.make_offer('maker', 'model-a', 10, 0), test.make_customer('caller', '{"markup_percent": 0}');
create temporary table said as
select
    test.route(sha256('caller/token'), '{"images": 1, "vision": true}') as unknown,
    test.route(sha256('caller/token'), '{"images": 1, "vision": true, "pictures": [256, 256]}') as small,
    test.route(sha256('caller/token'), '{"images": 1, "vision": true, "pictures": [4032, 3024]}') as large;
select results_eq(
    $$select trim_scale(r.held_usd * 100000) from said as s
        cross join lateral (values ((s.unknown).request_id), ((s.small).request_id), ((s.large).request_id)) as d (id)
        inner join ops.reservation as r on r.api_request_hk = uuid_send(d.id::uuid) order by r.held_usd$$,
    'values (1194::numeric), (3074), (14438)', 'a small picture holds less, a large one more than one of unknown size'
);
select is(
    (select e.worst_case_cost_usd from admin.explain_route(
        'caller', '{"model": "model-a", "images": 1, "vision": true, "prompt_bytes": 100, "pictures": [4032, 3024]}') as e),
    0.1443800000, 'explain_route says the same'
);
select results_eq(
    $$select (r.request ->> 'prompt_tokens')::integer from said as s
        inner join ops.reservation as r on r.api_request_hk = uuid_send((s.large).request_id::uuid)$$,
    'values (14438)', 'and so do the books, where nobody tells what was used'
);
select * from finish();
rollback;
