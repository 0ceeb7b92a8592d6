begin;
select plan(4);
select test.make_offer('maker', 'model-a', 10, 20);
select test.make_customer('user');
select test.book_at('user', '2026-01-15 10:00Z', '{"customer_cost": 2, "provider_cost": 2, "gateway_markup": 0}', '{"usage_source": "provider_final",
    "input_uncached_tokens": 100000, "output_tokens": 50000, "input_usd_per_million": 10, "output_usd_per_million": 20, "provider_cost": 2}');
create function test.import(p_input bigint) returns bigint language sql as $$
    select i.added from gateway.sp_import_provider_usage('a file', jsonb_build_array(jsonb_build_object(
        'provider', 'maker', 'usage_kind', 'COMPLETION', 'usage_day', '2026-01-15', 'model_name', 'model-a', 'input_uncached_tokens', p_input,
        'output_tokens', 50000
    ))) as i;
$$;
select test.import(150000);
select throws_ok(
    $$select gateway.sp_close_month('2026-01-01')$$, 'VG409',
    'In 2026-01 1 days and models are out of tolerance, the first is model-a at maker on 2026-01-15', 'a provider says something else'
);
select is((select count(*) from gateway.invoice_h as h), 0::bigint, 'nothing was made out');
select test.import(100000);
select is((select c.total from gateway.sp_close_month('2026-01-01') as c), '2.00', 'until it says the same');
-- A month of which nothing was imported is no difference.
select test.booked('user', '2026-02-15 10:00Z', 1);
select is((select c.total from gateway.sp_close_month('2026-02-01') as c), '1.00', 'what nobody told is not denied');
select * from finish();
rollback;
