-- Rules, prices, the customer, health and speed change after a call; made again, the decision is the one of then.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 1, 1, '{"quality_score": 40}');
select test.make_offer('rival', 'model-a', 2, 2, '{"quality_score": 90}');
select test.make_offer('third', 'model-b', 3, 3);
select test.make_customer('caller', '{"cost_budget_daily": 100}');
insert into admin.routing_rule (rule_name, rule_priority, conditions, quality_optimization)
values ('red', 1, '{"metadata.team": "red"}', true), ('spent', 2, '{"budget_used_percent": {"lt": 50}, "request_type": "b"}', false);
insert into admin.routing_rule (rule_name, rule_priority, conditions, latency_optimization) values ('fast', 3, '{"request_type": "f"}', true);
insert into admin.routing_rule (rule_name, customer, targets) values ('own', 'caller', '{"model-a": 1, "third/model-b": 1}');
update admin.routing_rule set is_active = false where rule_name = 'own';
insert into ops.offer_speed values (util.hash_key('third', 'model-b'), 10, 1, now()), (util.hash_key('maker', 'model-a'), 900, 9, now());
insert into ops.offer_health (offer_hk, rests_until) values (util.hash_key('rival', 'model-a'), now() + interval '1 hour');
create temporary table made (n integer, request jsonb, d jsonb);
insert into made
select c.n, c.request, to_jsonb(test.route(sha256('caller/token'), c.request))
from (values
    (1, '{}'::jsonb), (2, '{"metadata": {"team": "red", "note": "secret words"}}'), (3, '{"request_type": "b"}'),
    (4, '{"request_type": "f"}'), (5, '{"model": "model-a"}')
) as c (n, request);
update admin.routing_rule set is_active = true where rule_name = 'own';
insert into made
select n, '{"stream": true}', to_jsonb(test.route(sha256('caller/token'), '{"stream": true}')) from generate_series(6, 7) as n;
select test.settle(test.decision(m.d)) from made as m order by m.n;
select is((select count(*) from made as m where m.d ->> 'status' = 'routed'), 7::bigint, 'seven calls went their ways');

update admin.customer set markup_percent = 77, preferred_providers = '{third}', priority_tier = 'BASIC' where customer = 'caller';
update admin.price set usd_per_million = usd_per_million * 7 where provider = 'maker';
update admin.model set quality_score = 1 where provider = 'rival';
delete from admin.routing_rule where rule_name in ('red', 'spent');
update admin.routing_rule set targets = '{"rival/model-a": 1}' where rule_name = 'own';
insert into admin.routing_rule (rule_name, rule_priority, target_provider) values ('all to third', 0, 'third');
delete from ops.offer_health where true;
update ops.offer_speed set first_byte_ms = 5000 where true;
update ops.scope_state set day_spent_usd = 99 where true;
select is(
    array(
        select (r.request, t.is_same)::text from made as r
        cross join lateral admin.replay((r.d ->> 'request_id')::uuid) as t where not t.is_same
    ), '{}', 'each is decided as it was'
);
select is(
    (select t.chosen_then from made as m cross join lateral admin.replay((m.d ->> 'request_id')::uuid) as t where m.n = 2),
    '{maker/model-a,third/model-b,rival/model-a}'::text[], 'by the rule that is gone: the best of those awake'
);
select ok(
    (select t.chosen_again[1] = m.d ->> 'provider' || '/' || (m.d ->> 'model')
        from made as m cross join lateral admin.replay((m.d ->> 'request_id')::uuid) as t where m.n = 6),
    'what was drawn is drawn again'
);
select is(
    (select s.decision #> '{asked,metadata}' from made as m inner join gateway.api_request_s as s
        on s.api_request_hk = uuid_send((m.d ->> 'request_id')::uuid) where m.n = 2),
    '{"team": "red"}', 'of metadata only what rules ask for is kept'
);
select ok(
    (select string_agg(w.sentence, E'\n') from made as m cross join lateral admin.why((m.d ->> 'request_id')::uuid) as w where m.n = 2)
    ~ 'The rule ''red'' applied.*1\. maker/model-a: red: best quality.*3\. rival/model-a: tried as number 3.*It ended as SUCCESS',
    'why tells it in sentences, as things were then'
);
update ops.past set was = was || '{"quality_weight": 0, "cost_weight": 1}' where thing = 'rule' and was ->> 'rule_name' = 'red';
update ops.past set was = was || '{"input_usd_per_million": 50}' where thing = 'offer' and was ->> 'provider_bk' = 'maker';
select ok(
    (select not t.is_same from made as m cross join lateral admin.replay((m.d ->> 'request_id')::uuid) as t where m.n = 2),
    'a past that was tampered with shows'
);
select throws_ok($$select * from admin.replay('00000000-0000-7000-8000-000000000000')$$, 'VG404', null, 'no such request');
update gateway.api_request_s set decision = null where true;
select throws_ok(
    format('select * from admin.why(%L)', (select m.d ->> 'request_id' from made as m where m.n = 1)), 'VG404', null,
    'and one from before decisions were kept'
);
select * from finish();
rollback;
