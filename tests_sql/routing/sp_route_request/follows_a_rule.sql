begin;
select plan(5);
select test.make_offer('maker', 'model-a', 1, 1, '{"quality_score": 10}');
select test.make_offer('maker', 'model-b', 5, 5, '{"quality_score": 90}');
select test.make_customer('ruled', '{"priority_tier": "PREMIUM"}');
select util.fn_load_hub('gateway.routing_rule_h', util.hash_key('test rule'), 'test rule', 'test');
select util.fn_load_satellite(
    'gateway.routing_rule_s', jsonb_build_object('routing_rule_hk', util.hash_key('test rule')),
    '{"rule_name": "medical to b", "rule_priority": -5, "conditions": {"request_type": "medical", "tier": ["PREMIUM", "STANDARD"]},
      "target_model": "model-b"}', 'test'
);
select is((test.route(sha256('ruled/token'), '{"request_type": "medical"}')).model, 'model-b', 'conditions hold');
select is(
    left((test.route(sha256('ruled/token'), '{"request_type": "medical"}')).route_reason, 12), 'medical to b',
    'the reason names the rule'
);
select is((test.route(sha256('ruled/token'), '{"request_type": "legal"}')).model, 'model-a', 'they do not hold');
select throws_ok(
    $$select gateway.fn_compile_conditions('{"shoe_size": 44}')$$, 'VG400', null, 'an unknown attribute is refused at write'
);
select is(
    gateway.fn_compile_conditions('{"metadata.team": "a\" || 1 == 1"}')::text,
    'exists ($."metadata"."team"?(@ == "a\" || 1 == 1"))', 'a value is a value, whatever it looks like'
);
select * from finish();
rollback;
