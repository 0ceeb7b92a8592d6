begin;
select plan(6);
select test.make_offer('maker', 'model-a', 5), test.make_offer('other', 'model-b', 1);
select test.make_provider('maker', '{"compliance_levels": ["EU", "HIPAA"]}');
select test.make_customer('clinic', '{"compliance_level": "HIPAA"}');
create temporary table routed as select to_jsonb(test.route(sha256('clinic/token'))) as d;

-- Whatever a function does wrong, the table does not take it.
select throws_ok(
    $$update ops.reservation as r set candidates = (select jsonb_agg(o.prices) from ops.offer as o where o.provider_bk = 'other')
        where r.customer_hk = util.hash_key('clinic')$$,
    '23514', null, 'a candidate that meets nothing'
);
select throws_ok(
    $$update ops.reservation as r set candidates = r.candidates || (select jsonb_agg(o.prices) from ops.offer as o where o.provider_bk = 'other')
        where r.customer_hk = util.hash_key('clinic')$$,
    '23514', null, 'nor as the last one to be tried'
);
select throws_ok(
    $$update ops.reservation as r set compliance_flags = '{HIPAA,SOX}' where r.customer_hk = util.hash_key('clinic')$$,
    '23514', null, 'more required than is met'
);
select lives_ok(
    $$update ops.reservation as r set compliance_flags = '{EU}' where r.customer_hk = util.hash_key('clinic')$$, 'what is met is taken'
);
update ops.reservation as r set compliance_flags = '{HIPAA}' where r.customer_hk = util.hash_key('clinic');
select test.settle(test.decision(r.d)) from routed as r;
select results_eq(
    $$select a.compliance_required, a.compliance_met from gateway.api_request_attempt_s as a
        where a.customer_hk = util.hash_key('clinic')$$,
    $$values ('{HIPAA}'::text[], '{EU,HIPAA}'::text[])$$, 'an attempt keeps both'
);
select throws_ok(
    $$update gateway.api_request_attempt_s set compliance_met = '{EU}' where customer_hk = util.hash_key('clinic')$$,
    '23514', null, 'and cannot be one that did not meet them'
);
select * from finish();
rollback;
