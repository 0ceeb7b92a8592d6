begin;
select plan(16);
select test.make_offer('maker', 'small', 1, 2, '{"context_tokens": 1000, "features": ["stream"], "max_output_tokens": 64}');
select test.make_offer('maker', 'priceless', null, null);
select test.make_offer('maker', 'half priced', 1, null);
select test.make_offer('maker', 'retired', 1, 2, '{"is_active": false}');
select test.make_provider('locked', '{"needs_key": true}');
select test.make_offer('locked', 'keyless');
select test.make_customer('asker');
select test.make_customer('careful', '{"compliance_level": "HIPAA"}');
select test.make_customer('choosy', '{"allowed_models": ["other"]}');
select is((test.route(sha256('asker/token'), '{"model": "small", "prompt_bytes": 20000}')).status, 'invalid_request', 'too long');
select is((test.route(sha256('asker/token'), '{"model": "small", "tools": true}')).status, 'invalid_request', 'no tools');
select is((test.route(sha256('asker/token'), '{"model": "small", "max_cost": "0.00000001"}')).status, 'max_cost_too_low');
select ok(
    ((test.route(sha256('asker/token'), '{"model": "small", "max_cost": "0.00000001"}')).detail::jsonb
        ->> 'cheapest_estimate_usd')::numeric > 0, 'it says the cheapest estimate'
);
select is((test.route(sha256('asker/token'), '{"model": "priceless"}')).status, 'no_provider', 'an unknown price refuses');
select is((test.route(sha256('asker/token'), '{"model": "half priced"}')).status, 'no_provider', 'half a price refuses');
select is((test.route(sha256('asker/token'), '{"model": "retired"}')).status, 'no_provider', 'inactive');
select is((test.route(sha256('asker/token'), '{"model": "keyless"}')).status, 'no_provider', 'no key');
select is((test.route(sha256('careful/token'), '{"model": "small"}')).status, 'compliance_blocked');
select is((test.route(sha256('choosy/token'), '{"model": "small"}')).status, 'model_not_allowed');
-- Mutants: what others cannot do said before what is asked of those that can; a bare word instead of a remedy.
select test.make_offer('maker', 'vectors', 1, 0, '{"capabilities": ["embedding"]}');
select matches((test.route(sha256('asker/token'), r.request)).message, r.message, r.message)
from (
    values
    ('{"model": "vectors"}'::jsonb, '^''vectors'' cannot answer messages\. GET /v1/models shows '),
    ('{"model": "small", "capability": "embedding"}', '^''small'' cannot make embeddings\. GET /v1/models shows '),
    ('{"capability": "rerank"}', '^No model here can rank documents\. GET /v1/models shows '),
    ('{"service_tier": "flex"}', 'has no price in the service tier ''flex'' here\. Leave service_tier out'),
    ('{"model": "small", "max_cost": "0.00000001"}', ' may cost up to 0\.[0-9]*[1-9] USD, your max_cost is 0\.00000001\. Raise it')
) as r (request, message);
select is(count(*)::integer, 0, 'refusals leave no reservation') from ops.reservation as r
where r.customer_hk in (util.hash_key('asker'), util.hash_key('careful'), util.hash_key('choosy'));
select * from finish();
rollback;
