-- Asked about many calls, it chooses what the road then chooses, for the same reason and at the same price.
begin;
create temporary table call (n serial, request jsonb);
insert into call (request) values
('{}'), ('{"model": "model-b"}'), ('{"model": "rival/auto"}'), ('{"model": "maker/model-a"}'), ('{"model": "nothing"}'),
('{"max_output_tokens": 2000}'), ('{"max_cost": 0.0000001}'), ('{"stream": true}'), ('{"tools": true}'),
('{"vision": true, "images": 2}'), ('{"prompt_bytes": 5000000}'), ('{"choices": 3, "prompt_bytes": 4000}'),
('{"request_type": "report"}'), ('{"request_type": "medical"}'), ('{"model": "toy"}'), ('{"capability": "embedding"}'),
('{"metadata": {"team": "red"}}'), ('{"model": "vendor/model-c"}'), ('{"model": "vendor/model-d"}');
select plan((select count(*)::integer * 2 from call));
select test.make_offer('maker', 'model-a', 1, 1, '{"features": ["tools"]}');
select test.make_offer('maker', 'model-b', 3, 3);
select test.make_offer('rival', 'model-b', 2, 2);
select test.make_offer('rival', 'vendor/model-c', 9, 9, '{"context_tokens": 8000}');
select test.make_provider('play', '{"adapter_kind": "sandbox", "api_endpoint": "in-process"}');
select test.make_offer('play', 'toy', 0.001, 0.001);
select test.make_customer('caller', '{"markup_percent": 50, "preferred_providers": ["rival"]}');
insert into admin.routing_rule (rule_name, conditions, target_model) values ('reports', '{"request_type": "report"}', 'model-b');
insert into admin.routing_rule (rule_name, conditions, compliance_requirements)
values ('health', '{"request_type": "medical"}', '{HIPAA}');
insert into admin.routing_rule (rule_name, conditions, quality_optimization) values ('red', '{"metadata.team": "red"}', true);
create temporary table told as
select
    c.n, c.request, e.provider, e.model, e.reason, (
        select jsonb_agg(jsonb_build_object('provider', x.provider, 'model', x.model) order by x.rank)
        from admin.explain_route('caller', '{"prompt_bytes": 100}' || c.request) as x where x.rank is not null
    ) as tried, (
        select max(x.worst_case_cost_usd)
        from admin.explain_route('caller', '{"prompt_bytes": 100}' || c.request) as x where x.rank is not null
    ) as hold_usd
from call as c
left join lateral (
    select * from admin.explain_route('caller', '{"prompt_bytes": 100}' || c.request) as e where e.chosen or e.provider is null
) as e on true;
create temporary table met as select c.n, d.* from call as c cross join lateral test.route(sha256('caller/token'), c.request) as d;
select is(
    (t.provider, t.model, t.reason)::text,
    (m.provider, m.model, case when m.status = 'routed' then m.route_reason else 'refused: ' || m.message end)::text,
    format('call %s, %s', t.n, t.request)
)
from told as t inner join met as m on t.n = m.n order by t.n;
select is(
    (t.tried, t.hold_usd)::text, (r.tried, trim_scale(r.held_usd))::text, format('and what is tried and held, call %s', t.n)
)
from told as t
inner join met as m on t.n = m.n
left join lateral (
    select r.held_usd, (
        select jsonb_agg(jsonb_build_object('provider', k.candidate ->> 'provider', 'model', k.candidate ->> 'model') order by k.place)
        from jsonb_array_elements(r.candidates) with ordinality as k (candidate, place)
    ) as tried
    from ops.reservation as r where r.api_request_hk = uuid_send(m.request_id::uuid)
) as r on true
order by t.n;
select * from finish();
rollback;
