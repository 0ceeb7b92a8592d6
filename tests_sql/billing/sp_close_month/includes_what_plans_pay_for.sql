-- Mutants: what was corrected is given back though the plan had paid it; what comes late is charged though the plan includes it.
begin;
select plan(15);
select test.make_offer('maker', 'model-a');
select test.make_customer('before'), test.make_customer('after'), test.make_customer('above');
insert into admin.plan (plan, plan_name, monthly_fee_usd, included_usage_usd) values ('bundle', 'Bundle', 100, 150), ('pack', 'Pack', 10, 60);
insert into admin.subscription (customer, plan, valid_from, valid_to)
values ('before', 'bundle', '2026-01-01', '2026-02-01'), ('after', 'bundle', '2026-01-01', '2026-02-01'), ('above', 'pack', '2026-01-01', '2026-02-01');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from) values ('after', 'wire', 'PREPAID', 1000, '2026-01-01');
create temporary table call as
select c.customer, test.booked(c.customer, '2026-01-15 10:00Z', 100) as hk from unnest('{before,after,above}'::text[]) as c (customer);
create function test.correct(p_customer text, p_delta numeric) returns void language sql as $$
    insert into gateway.charge_adjustment_s (
        customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
        new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
    )
    select s.customer_hk, s.tenant_hk, s.api_request_hk, '2026-01-01', 100, 100 + p_delta, p_delta, 0, 0, 100, 100 + p_delta, p_delta, 0, '{}', 'price', uuidv7(), 'test'
    from gateway.api_request_s as s inner join call as c on s.api_request_hk = c.hk where c.customer = p_customer;
$$;
create function test.late(p_customer text, p_charge numeric) returns bytea language sql as $$
    select test.booked(p_customer, '2026-01-16 10:00Z', p_charge, p_booked_after => interval '20 days');
$$;
create function test.number_of(p_customer text, p_month date) returns text language sql as $$
    select s.invoice_number from gateway.invoice_h as h inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    where h.customer_hk = util.hash_key(p_customer) and s.billing_period = p_month and s.invoice_status <> 'VOID';
$$;
-- All that is ever paid for January is its fee, and what it used beyond.
create function test.paid_for(p_customer text) returns numeric language sql as $$
    select trim_scale(sum(l.exact_usd)) from gateway.invoice_line_s as l
    inner join gateway.invoice_s as s on l.invoice_hk = s.invoice_hk and l.load_date = s.lines_load_date and s.load_end_date is null
    where l.customer_hk = util.hash_key(p_customer) and s.invoice_status in ('FINAL', 'PAID') and s.invoice_kind = 'INVOICE';
$$;
select test.correct('before', -20);
select gateway.sp_close_month('2026-01-01');
select results_eq($$select l.* from test.lines_of('before', '2026-01-01') as l$$, $$values ('USAGE', 'maker/model-a', 100::numeric), ('SERVICE', 'Bundle', 100),
    ('INCLUDED', 'Usage that your plans include', -80), ('ADJUSTMENT', 'Correction of prices of 2026-01', -20)$$, 'corrected before the close: the fee is left');
select is(test.paid_for('above'), 50::numeric, 'above what is included it is charged');
-- Corrected after the close, and booked late.
select test.correct('after', -20), test.late('before', 30), test.correct('above', 7), test.late('above', 3);
select gateway.sp_close_month('2026-02-01');
select results_eq($$select l.* from test.lines_of('after', '2026-02-01') as l$$, $$values ('ADJUSTMENT', 'Correction of prices of 2026-01', -20::numeric),
    ('INCLUDED', 'Usage of 2026-01 that your plans include', 20)$$, 'what the plan had paid is not given back');
select results_eq($$select l.* from test.lines_of('before', '2026-02-01') as l$$,
    $$values ('ADJUSTMENT', 'Usage of 2026-01 booked later: maker/model-a', 30::numeric),
    ('INCLUDED', 'Usage of 2026-01 that your plans include', -30)$$, 'and what comes late is paid by it');
select is(test.paid_for('above'), 60::numeric, 'all above it is charged');
select test.correct('above', -70), test.late('before', 60);
select gateway.sp_close_month('2026-03-01');
select is(test.paid_for('above'), 10::numeric, 'corrected to less than is included, the fee is left');
select is(test.paid_for('before'), 120::numeric, '170 used, 150 included: the fee and 20');
select is(test.paid_for('after'), 100::numeric, 'he had his fee');
-- Made out again it includes what is left to it, and made void nothing.
select admin.void_invoice(test.number_of('before', '2026-01-01'), 'wrong address', true);
select is(test.paid_for('before'), 120::numeric, 'another one in its place comes to the same');
select admin.void_invoice(test.number_of('before', '2026-03-01'), 'wrong address'), admin.void_invoice(test.number_of('before', '2026-02-01'), 'too', true);
select gateway.sp_close_month('2026-04-01');
select is(test.paid_for('before'), 120::numeric, 'whatever is void in between');
select is((test.balance_of('before', 'unbilled'), test.balance_of('after', 'unbilled'), test.balance_of('above', 'unbilled')),
    (0.0000000000, 0.0000000000, 0.0000000000), 'nothing is left unbilled');
select is(test.balance_of('after', 'prepaid'), -900.0000000000, 'a credit paid the fee alone');
select is(test.balance_of('after', 'usage_revenue'), 0.0000000000, 'by usage nothing was earned of him');
select is(test.balance_of('before', 'usage_revenue'), -20.0000000000, 'and of the other what was beyond');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
