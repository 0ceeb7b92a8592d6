-- Mutants: a late charge that no invoice finds, one on two invoices, one that is lost with the invoice that held it, one that only
-- the first of its month brings with it, a month that is left out.
begin;
select plan(25);
select test.make_offer('maker', 'model-a');
select test.make_tenant('north', '{"time_zone": "Pacific/Auckland"}');
select test.make_customer('late', '{}', 'north'), test.make_customer('other', '{}', 'north'), test.make_customer('south');
create function test.late_at(p_customer text, p_at timestamptz, p_charge numeric) returns bytea language sql as $$
    select test.booked(p_customer, p_at, p_charge, p_booked_after => clock_timestamp() - p_at);
$$;
create function test.late_lines(p_customer text, p_month date) returns text language sql as $$
    select string_agg(l.description || ' ' || l.amount, ', ' order by l.description)
    from test.lines_of(p_customer, p_month) as l where l.line_kind = 'ADJUSTMENT';
$$;
select test.booked('late', '2025-11-15 10:00Z', 100), test.booked('late', '2026-03-15 10:00Z', 3), test.booked('other', '2026-01-15 10:00Z', 2);
select test.roll_up();
select gateway.sp_close_month(m::date, 'north') from generate_series('2025-11-01'::timestamp, '2026-02-01', interval '1 month') as m;
select throws_ok($$select gateway.sp_close_month('2026-04-01', 'north')$$, 'VG409', '2026-03 of north is not closed', 'no month is left out');
select is(test.balance_of('late', 'unbilled'), 3.0000000000, 'all but what is new is billed');

-- Five months late, at the end of its month by the tenant's calendar.
select test.late_at('late', '2025-11-30 10:59Z', 5);
select is(test.balance_of('late', 'unbilled'), 8.0000000000, 'the books know it at once');
select test.roll_up();
select is((select sum(u.request_count) from ops.usage_hourly as u where u.customer_hk = util.hash_key('late')), 2::numeric,
    'the rollup does not look back that far');
select is(ops.fn_note_late_requests(), 1::bigint, 'it is noted');
select is(ops.fn_note_late_requests(), 0::bigint, 'once');
select is((select sum(u.request_count) from ops.usage_hourly as u where u.customer_hk = util.hash_key('late')), 3::numeric, 'and counts');
select is((select s.customer_cost_usd from business_vault.customer_spending as s where s.customer = 'late' and s.billing_period = '2025-11-01'),
    105.0000000000, 'in its month');
select gateway.sp_close_month('2026-03-01', 'north');
select is(test.late_lines('late', '2026-03-01'), 'Usage of 2025-11 booked later: maker/model-a 5', 'the next invoice has it');
select is(test.late_lines('other', '2026-03-01'), null, 'and nobody else''s');
select is(test.balance_of('late', 'unbilled'), 0.0000000000, 'nothing is left unbilled');
-- Another one, found by the close itself; and one whose customer used nothing in its month before.
select test.late_at('late', '2025-11-16 10:00Z', 7), test.late_at('other', '2025-12-16 10:00Z', 11), test.late_at('other', '2026-02-16 10:00Z', 17);
select test.roll_up();
select gateway.sp_close_month('2026-04-01', 'north');
select is(test.late_lines('late', '2026-04-01'), 'Usage of 2025-11 booked later: maker/model-a 7', 'never again, and only what is new');
select is(test.late_lines('other', '2026-04-01'), 'Usage of 2025-12 booked later: maker/model-a 11, Usage of 2026-02 booked later: maker/model-a 17',
    'of months without usage, too, as far back as any invoice looks or farther');
select gateway.sp_close_month('2026-05-01', 'north');
select is(test.late_lines('late', '2026-05-01'), null, 'then nothing');
select is(test.balance_of('other', 'unbilled'), 0.0000000000, 'all is billed');

-- Whose invoice is void is due again, and once.
create function test.number_of(p_customer text, p_month date) returns text language sql as $$
    select s.invoice_number from gateway.invoice_h as h inner join gateway.invoice_s as s on h.invoice_hk = s.invoice_hk and s.load_end_date is null
    where h.customer_hk = util.hash_key(p_customer) and s.billing_period = p_month and s.invoice_status <> 'VOID';
$$;
select admin.void_invoice(test.number_of('late', '2026-04-01'), 'wrong address');
select gateway.sp_close_month('2026-06-01', 'north');
select is(test.late_lines('late', '2026-06-01'), 'Usage of 2025-11 booked later: maker/model-a 7', 'a void invoice gives it to the next');
-- Made out again, an old invoice holds what came since; then the next one does not.
select test.late_at('late', '2025-11-17 10:00Z', 13);
select test.roll_up();
select ops.fn_note_late_requests();
select admin.void_invoice(test.number_of('late', '2025-11-01'), 'wrong address', true);
select is((select sum(l.amount) from test.lines_of('late', '2025-11-01') as l), 113::numeric, 'of its own month all that no other one has');
select is(test.late_lines('late', '2025-11-01'), 'On another invoice: maker/model-a -12', 'and says so');
select gateway.sp_close_month('2026-07-01', 'north');
select is(test.late_lines('late', '2026-07-01'), null, 'so the next one has nothing');
select is(test.late_lines('other', m::date), null, 'nor has any other, once it is old')
from generate_series('2026-05-01'::timestamp, '2026-07-01', interval '1 month') as m;
select is(test.balance_of('late', 'unbilled'), 0.0000000000, 'and nothing is unbilled');
select is((select sum(l.exact_usd) from gateway.invoice_line_s as l inner join gateway.invoice_s as s on l.invoice_hk = s.invoice_hk
    and l.load_date = s.lines_load_date and s.load_end_date is null where l.customer_hk = util.hash_key('late') and s.invoice_status = 'FINAL'),
    (select sum(s.customer_cost) from gateway.api_request_s as s where s.customer_hk = util.hash_key('late')), 'invoices hold what was charged');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
