begin;
select plan(4);
select test.make_offer('quick', 'model-a'), test.make_offer('cheap', 'model-a');
select test.make_customer('user');
select test.book_at('user', now() - interval '20 minutes', '{}', '{"latency_ms": 50, "provider_cost": 3}', 'quick');
select test.book_at('user', now() - interval '20 minutes', '{}', '{"latency_ms": 500, "provider_cost": 1}', 'cheap');
select test.book_at('user', now() - interval '3 hours', '{}', '{"outcome": "ERROR", "error_class": "connect"}', 'cheap');
select ops.fn_measure_providers();
create temporary view told as select c.* from business_vault.provider_comparison as c;
select is((t.latency_rank, t.cost_rank), (1::bigint, 2::bigint), 'the quick one') from told as t where t.provider = 'quick' and t.period = 'hour';
select is((t.latency_rank, t.cost_rank), (2::bigint, 1::bigint), 'the cheap one') from told as t where t.provider = 'cheap' and t.period = 'hour';
select is((t.total_requests, t.error_rate_percent), (1::bigint, 0.00), 'the hour forgets') from told as t
where t.provider = 'cheap' and t.period = 'hour';
select is((t.total_requests, t.error_rate_percent, t.availability_percent), (2::bigint, 50.00, 50.00), 'what the day remembers')
from told as t where t.provider = 'cheap' and t.period = 'day';
select * from finish();
rollback;
