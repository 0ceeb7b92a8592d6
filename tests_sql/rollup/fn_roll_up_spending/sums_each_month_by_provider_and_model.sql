begin;
select plan(7);
select test.make_offer('maker', 'model-a'), test.make_offer('maker', 'model-b'), test.make_offer('other', 'model-a');
select test.make_customer('user');
select test.book_at('user', now()), test.book_at('user', now(), p_model => 'model-b'), test.book_at('user', now(), p_provider => 'other');
select test.book_at('user', date_trunc('month', now(), 'UTC') - interval '1 hour', p_booked_after => interval '1 day');
select is(ops.fn_roll_up_spending(), 2::bigint, 'two months have something new');
create temporary view spent as
select s.* from business_vault.customer_spending as s
where s.customer = 'user' and s.billing_period = date_trunc('month', now(), 'UTC')::date;
select is((s.total_requests, s.total_tokens), (3::bigint, 45::bigint), 'requests and tokens') from spent as s;
select is(
    (s.provider_cost_usd, s.markup_usd, s.customer_cost_usd), (6.0000000000, 1.5000000000, 7.5000000000), 'cost, markup, charge'
) from spent as s;
select is(s.customer_cost_by_provider_usd, '{"maker": 5, "other": 2.5}'::jsonb, 'by provider') from spent as s;
select is(s.customer_cost_by_model_usd, '{"model-a": 5, "model-b": 2.5}'::jsonb, 'by model') from spent as s;
select is(s.billing_status, 'PENDING', 'not billed yet') from spent as s;
select is(
    (select s.total_requests from business_vault.customer_spending as s where s.billing_period < date_trunc('month', now(), 'UTC')::date),
    1::bigint, 'the month before has its own'
);
select * from finish();
rollback;
