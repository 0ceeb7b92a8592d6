begin;
select plan(4);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at(
    'user', timestamptz '2026-03-10 12:01+00', '{}', jsonb_build_object('outcome', f.outcome, 'error_class', f.class, 'latency_ms', 9000)
)
from (values
    ('ERROR', 'server_error'), ('TIMEOUT', 'timeout'), ('ERROR', 'rate_limited'), ('ERROR', 'bad_request'),
    ('ERROR', 'content_policy'), ('CANCELLED', 'client_gone'), ('CANCELLED', 'worker_lost')
) as f (outcome, class);
select test.book_at('user', timestamptz '2026-03-10 12:02+00');
select ops.fn_measure_providers(timestamptz '2026-03-10 12:10+00');
create temporary view measured as select p.* from business_vault.provider_performance as p;
select is(
    (m.total_requests, m.successful_requests, m.failed_requests, m.unavailable_requests),
    (8::bigint, 1::bigint, 3::bigint, 2::bigint), 'what a customer did or broke off is no failure'
) from measured as m;
select is(m.error_rate_percent, 75.00, 'three failed of four that count') from measured as m;
select is(m.availability_percent, 75.00, 'two of eight found nobody there') from measured as m;
select is(m.average_latency_ms, 100, 'latency is that of answers') from measured as m;
select * from finish();
rollback;
