-- Mutants: a draft of then that knows what was closed, invoiced, corrected, noted or paid by credit since.
begin;
select plan(7);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on)
values ('user', 'welcome', 'PROMOTION', 3, '2025-11-01', '2026-02-21'), ('user', 'other', 'PROMOTION', 1, '2026-02-10', null);
select test.booked('user', '2025-11-15 10:00Z', 50), test.booked('user', '2026-01-15 10:00Z', 5), test.booked('user', '2026-02-15 10:00Z', 4);
create temporary table call as select test.booked('user', '2026-02-25 10:00Z', 2) as hk;
select gateway.sp_close_month(m::date) from generate_series('2025-11-01'::timestamp, '2026-01-01', interval '1 month') as m;
create temporary table known as select clock_timestamp() as at;
create temporary table then_known as select k.at, m.month::date as month, admin.sp_read_bill('user', m.month::date, k.at) as bill
from known as k cross join generate_series('2026-02-01'::timestamp, '2026-04-01', interval '1 month') as m (month);
select is((select k.bill ->> 'total' from then_known as k where k.month = '2026-02-01'), '5.00', 'of six dollars a credit pays one');
select is(
    jsonb_path_query_array(k.bill, '$.lines[*].exact_usd'), jsonb_path_query_array(admin.sp_read_bill('user', k.month), '$.lines[*].exact_usd'),
    'line by line what it is now'
)
from then_known as k where k.month = '2026-02-01';
-- Late usage of each month, a correction, credits, a void: all of it later.
select test.booked('user', '2025-11-16 10:00Z', 7, p_booked_after => clock_timestamp() - '2025-11-16 10:00Z'),
    test.booked('user', '2026-01-16 10:00Z', 11, p_booked_after => clock_timestamp() - '2026-01-16 10:00Z'),
    test.booked('user', '2026-02-16 10:00Z', 13, p_booked_after => clock_timestamp() - '2026-02-16 10:00Z');
insert into gateway.charge_adjustment_s (
    customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
    new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
)
select s.customer_hk, s.tenant_hk, s.api_request_hk, '2026-02-01', 2, 1, -1, 0, 0, 2, 1, -1, 0, '{}', 'price', uuidv7(), 'test'
from gateway.api_request_s as s inner join call as c on s.api_request_hk = c.hk;
insert into admin.credit (customer, credit_kind, amount_usd, valid_from) values ('user', 'PROMOTION', 2, '2026-02-10');
select gateway.sp_close_month('2026-02-01');
select admin.void_invoice(s.invoice_number, 'wrong') from gateway.invoice_s as s where s.billing_period = '2026-01-01' and s.load_end_date is null;
select gateway.sp_close_month('2026-03-01');
select is(admin.sp_read_bill('user', k.month, k.at), k.bill, to_char(k.month, 'YYYY-MM') || ' is to the letter what it was')
from then_known as k order by k.month;
select isnt(admin.sp_read_bill('user', k.month) ->> 'total', k.bill ->> 'total', 'and not what it is now') from then_known as k where k.month = '2026-02-01';
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
