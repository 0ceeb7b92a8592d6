begin;
select plan(5);
select test.make_offer('maker', 'model-a'), test.make_provider('maker', '{"compliance_levels": ["GDPR", "HIPAA"]}');
select test.make_customer('clinic', '{"compliance_level": "HIPAA"}'), test.make_customer('shop');
create temporary view told as select e.* from business_vault.compliance_event as e;
select test.settle(test.route(sha256('clinic/token'))), test.settle(test.route(sha256('shop/token')));
-- The provider loses it afterwards: what held then is told.
select test.make_provider('maker', '{"compliance_levels": []}');
select is(
    (t.customer, t.event_type, t.required_levels, t.provider_levels, t.is_met),
    ('clinic'::text, 'REQUIREMENT_APPLIED'::text, '{HIPAA}'::text[], '{GDPR,HIPAA}'::text[], true), 'what was required, and that it was met'
) from told as t;
select is((s.compliance_met, s.compliance_flags), ('{GDPR,HIPAA}'::text[], '{HIPAA}'::text[]), 'which stands with the request')
from gateway.api_request_s as s where s.customer_hk = util.hash_key('clinic');
select is((select count(*) from told), 1::bigint, 'nothing of a customer who requires nothing');
select test.book_at('shop', now(), '{"response_status": "ERROR", "error_class": "content_policy"}',
    '{"outcome": "ERROR", "error_class": "content_policy"}');
select is((t.customer, t.provider, t.model, t.is_met), ('shop'::text, 'maker'::text, 'model-a'::text, null::boolean), 'content that a provider refused')
from told as t where t.event_type = 'CONTENT_REFUSED';
select test.book_at('clinic', clock_timestamp(), '{"compliance_flags": ["HIPAA"]}');
select is(count(*), 1::bigint, 'a request that went where it must not is found by is_met') from told as t where not t.is_met;
select * from finish();
rollback;
