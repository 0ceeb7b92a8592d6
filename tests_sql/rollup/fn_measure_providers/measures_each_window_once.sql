begin;
select plan(9);
select test.make_offer('maker', 'model-a'), test.make_offer('other', 'model-a');
select test.make_customer('user');
-- Booked at 12:01 to 12:01:40 and at 12:07: two windows.
select test.book_at('user', timestamptz '2026-03-10 12:01+00' + n * interval '1 second', '{}', jsonb_build_object('latency_ms', n))
from generate_series(1, 100) as n;
select test.book_at('user', timestamptz '2026-03-10 12:07+00', p_provider => 'other');
select is(ops.fn_measure_providers(timestamptz '2026-03-10 12:14+00'), timestamptz '2026-03-10 12:10+00', 'whole windows only');
create temporary view measured as
select p.* from business_vault.provider_performance as p where p.provider = 'maker';
select is(
    (m.window_started_at, m.window_minutes, m.total_requests, m.successful_requests, m.failed_requests),
    (timestamptz '2026-03-10 12:00+00', 5, 100::bigint, 100::bigint, 0::bigint), 'a window and its attempts'
) from measured as m;
select is((m.average_latency_ms, m.p95_latency_ms, m.p99_latency_ms), (51, 95, 99), 'latencies') from measured as m;
select is((m.error_rate_percent, m.availability_percent), (0.00, 100.00), 'rates') from measured as m;
-- 100 × 2 USD over 100 × 15 tokens
select is((m.total_tokens, m.average_cost_per_token_usd), (1500::bigint, 0.1333333333), 'tokens and their cost') from measured as m;
select is(
    (select p.window_started_at from business_vault.provider_performance as p where p.provider = 'other'),
    timestamptz '2026-03-10 12:05+00', 'the other provider has its own window'
);
select ops.fn_measure_providers(timestamptz '2026-03-10 12:30+00');
select is((select count(*) from gateway.provider_performance_s), 2::bigint, 'windows that are over stay as they are');
update ops.watermark set rolled_up_to = timestamptz '2026-03-10 12:00+00' where rollup_name = 'provider performance';
select ops.fn_measure_providers(timestamptz '2026-03-10 12:30+00');
select is((select count(*) from gateway.provider_performance_s), 2::bigint, 'measured again they are the same');
insert into gateway.api_request_feedback_s (api_request_hk, customer_hk, load_date, hash_diff, offer_hk, request_type, score, record_source)
select s.api_request_hk, s.customer_hk, f.at, '\x', s.offer_hk, s.request_type, f.score, 'test'
from (select r.* from gateway.api_request_s as r where r.provider_hk = util.hash_key('maker') order by r.api_request_hk limit 1) as s
cross join (values (timestamptz '2026-03-10 12:41+00', 0.5), ('2026-03-10 12:42+00', 0.9), ('2026-03-10 12:46+00', 0)) as f (at, score);
select test.book_at('user', timestamptz '2026-03-10 12:40+00');
select ops.fn_measure_providers(timestamptz '2026-03-10 12:50+00');
select is(m.quality_score, 70.00, 'what customers thought of it') from measured as m where m.window_started_at = '2026-03-10 12:40+00';
select * from finish();
rollback;
