begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
create temporary table call as select test.booked('user', '2026-01-15 10:00Z', 10) as hk;
create function test.adjust(p_old numeric, p_new numeric) returns void language sql as $$
    insert into gateway.charge_adjustment_s (
        customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
        new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
    )
    select s.customer_hk, s.tenant_hk, s.api_request_hk, '2026-01-01', p_old, p_new, p_new - p_old, 0, 0, p_old, p_new, p_new - p_old, 0, '{}', 'price', uuidv7(), 'test'
    from gateway.api_request_s as s inner join call as c on s.api_request_hk = c.hk;
$$;
-- Corrected before the close: on the invoice of the month; after it: on the next one.
select test.adjust(10, 8);
select gateway.sp_close_month('2026-01-01');
select results_eq(
    $$select l.* from test.lines_of('user', '2026-01-01') as l$$,
    $$values ('USAGE', 'maker/model-a', 10::numeric), ('ADJUSTMENT', 'Correction of prices of 2026-01', -2)$$, 'what was corrected is a line of its own'
);
select is(test.balance_of('user', 'unbilled'), 0.0000000000, 'nothing is left unbilled');
select test.adjust(8, 7.5);
select is(test.balance_of('user', 'unbilled'), -0.5000000000, 'what is corrected later is unbilled again');
select test.booked('user', '2026-02-15 10:00Z', 1);
select gateway.sp_close_month('2026-02-01');
select results_eq(
    $$select l.* from test.lines_of('user', '2026-02-01') as l$$,
    $$values ('USAGE', 'maker/model-a', 1::numeric), ('ADJUSTMENT', 'Correction of prices of 2026-01', -0.5)$$, 'and on the next invoice, once'
);
select is(test.balance_of('user', 'receivable'), 8.5000000000, 'owed is what it should have cost');
select is(test.balance_of('user', 'usage_revenue'), -8.5000000000, 'and no more is earned');
select * from finish();
rollback;
