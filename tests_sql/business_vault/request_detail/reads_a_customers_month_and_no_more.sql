begin;
select plan(14);
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
    )) ~ 'Index Cond: \(\(customer_hk = [ch]\.customer_hk\)( AND \(request_timestamp >= ns\.load_date\))? '
    'AND \(request_timestamp >= ''[^)]*\) AND \(request_timestamp < ''',
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
-- A billing period as well, though each tenant's clock decides what is in it; and what was booked when.
select alike(
    test.plan_as('onevault_bi', $$select v.* from business_vault.ledger_line as v where v.customer = 'user'
        and v.billing_period = '2026-03-01'$$),
    '%Index Cond: ((customer_hk = h.customer_hk) AND (request_timestamp >= m.begins_after) AND (request_timestamp < m.ends_before))%',
    'a billing period is a range of times'
);
select matches(
    test.plan_as('onevault_bi', $$select v.* from business_vault.ledger_line as v where v.customer = 'user'
        and v.booked_at >= '2026-03-01' and v.booked_at < '2026-04-01'$$),
    'Index Cond: \(\(customer_hk = [ch]\.customer_hk\) AND \(load_date >= [^)]*\) AND \(load_date <', 'and so is what was booked'
);
select unalike(
    test.plan_as('onevault_bi', $$select sum(v.amount_usd) from business_vault.ledger_line as v where v.customer = 'user'$$),
    '%month_r%', 'who asks for no period looks none up'
);
select unalike(
    test.plan_as('onevault_bi', $$select v.* from business_vault.request_detail as v where v.customer = 'user'
        and v.request_timestamp >= '2026-03-01' and v.request_timestamp < '2026-04-01'$$),
    '%Index Cond: (token_hk = s.token_hk)%', 'tokens are found by customer, and not for each request'
);
-- One by the id that its customer has, behind row-level security too.
select alike(
    test.plan_as('onevault_bi', format('select v.* from business_vault.%I as v where v.%I = %L', w.view, w.id, gen_random_uuid())),
    '%Index Cond: (request_id = %', w.view || ' finds a request by its id'
) from (values
    ('request_detail', 'request_id'), ('routing_decision', 'request_id'), ('savings', 'request_id'),
    ('compliance_event', 'request_id'), ('ledger_line', 'entry_id')
) as w (view, id);
select * from finish();
rollback;
