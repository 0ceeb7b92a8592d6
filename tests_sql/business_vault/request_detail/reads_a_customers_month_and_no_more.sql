begin;
select plan(5);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.make_customer('another');
select count(test.book_at(c, now() - n * interval '1 hour')) from generate_series(1, 300) as n, unnest('{user,another}'::text[]) as c;
analyze gateway.api_request_s, gateway.customer_h;
select set_config('onevault.tenant', 'test tenant', true);
-- As a BI tool cuts it: whichever partition, the index is entered by customer and time together.
select ok(
    test.plan_as('onevault_bi', format(
        'select v.* from business_vault.%I as v where v.customer = ''user'' and v.%I >= ''2026-03-01'' and v.%I < ''2026-04-01''',
        w.view, w.moment, w.moment
    )) ~ 'Index Cond: \(\(customer_hk = c\.customer_hk\) AND \(request_timestamp >= [^)]*\) AND \(request_timestamp <',
    w.view || ' is cut to a customer and a time at once'
) from (values
    ('request_detail', 'request_timestamp'), ('routing_decision', 'request_timestamp'), ('savings', 'request_timestamp'),
    ('compliance_event', 'happened_at')
) as w (view, moment);
select alike(
    test.plan_as('onevault_bi', $$select v.* from business_vault.compliance_event as v where v.customer = 'user'
        and v.happened_at >= '2026-03-01' and v.event_type = 'CONTENT_REFUSED'$$),
    '%Index Scan using api_request_attempt_s_%customer_hk_load_date_idx%', 'refused content has an index of its own'
);
select * from finish();
rollback;
