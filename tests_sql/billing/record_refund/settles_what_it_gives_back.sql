-- Mutants: a refund leaves credit notes and invoices below zero due for ever; what is refunded under one reference is
-- not known as one refund.
begin;
select plan(13);
select test.make_offer('maker', 'model-a');
select test.make_customer('user'), test.make_customer('euro'), test.make_customer('none');
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2026-01-10', 0.7);
insert into admin.billing_profile (customer, currency) values ('euro', 'EUR');
create temporary table call as select test.booked('user', '2026-01-15 10:00Z', 10) as hk;
select test.booked('euro', '2026-01-15 10:00Z', 10);
create function test.number_of(p_customer text, p_month date default '2026-01-01') returns text language sql as $$
    select i.invoice_number from gateway.invoice_h as h inner join gateway.invoice_s as i on h.invoice_hk = i.invoice_hk and i.load_end_date is null
    where h.customer_hk = util.hash_key(p_customer) and i.billing_period = p_month and i.invoice_kind = 'INVOICE'
$$;
create function test.stands(p_customer text) returns text language sql as $$
    select string_agg(concat_ws(' ', i.invoice_status, trim_scale(i.total), trim_scale(i.paid)), ', ' order by i.known_at)
    from gateway.invoice_h as h inner join gateway.invoice_s as i on h.invoice_hk = i.invoice_hk and i.load_end_date is null
    where h.customer_hk = util.hash_key(p_customer)
$$;
select gateway.sp_close_month('2026-01-01');
select admin.record_payment(test.number_of('user'), 10, 'bank 1'), admin.record_payment(test.number_of('euro'), 7, 'bank 2');
-- A correction of prices makes an invoice below zero.
insert into gateway.charge_adjustment_s (
    customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
    new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
)
select s.customer_hk, s.tenant_hk, s.api_request_hk, '2026-01-01', 10, 8, -2, 0, 0, 10, 8, -2, 0, '{}', 'price', uuidv7(), 'test'
from gateway.api_request_s as s inner join call as c on s.api_request_hk = c.hk;
select gateway.sp_close_month('2026-02-01');
select admin.issue_credit_note(test.number_of('user'), 3, 'an outage');
select is(test.stands('user'), 'PAID 10 10, FINAL -2 0, FINAL -3 0', 'what he has too much');
select is(admin.record_refund('user', 0.5, 'bank 3'), 'refunded', 'a part of it');
select is(test.stands('user'), 'PAID 10 10, FINAL -2 -0.5, FINAL -3 0', 'is that of the oldest');
select is(admin.record_refund('user', 4.5, 'bank 4'), 'refunded', 'the rest of it');
select is(test.stands('user'), 'PAID 10 10, PAID -2 -2, PAID -3 -3', 'leaves nothing due');
select is(
    test.read_as('onevault_dba', null, $$select string_agg(concat_ws(' ', l.entry_name, l.billing_period, trim_scale(l.amount_usd)), ', ' order by l.entry_name)
        from business_vault.ledger_line as l where l.customer = 'user' and l.entry_kind = 'REFUND' and l.account = 'receivable'$$),
    format('refund:bank 3 2026-02-01 0.5, refund:bank 4 2026-02-01 1.5, refund:bank 4:%s 2026-01-01 3',
        (select i.invoice_number from gateway.invoice_s as i where i.invoice_kind = 'CREDIT_NOTE' and i.load_end_date is null)),
    'the books say of which'
);
select is(admin.record_refund('user', 4.5, 'bank 4'), 'it is recorded already', 'it is one refund');
select throws_ok($$select admin.record_refund('user', 1.5, 'bank 4')$$, 'VG409',
    '''bank 4'' is the reference of another refund, of 4.5 USD to user', 'and not two');
select is((test.balance_of('user', 'receivable'), test.balance_of('user', 'cash')), (0.0000000000, 5.0000000000), 'nothing is too much any more');
-- 1.20 EUR are 1.7142857143 USD.
select admin.issue_credit_note(test.number_of('euro'), 1.2, 'an outage') from generate_series(1, 2);
select is(admin.record_refund('euro', 3.4285714286, 'bank 5'), 'refunded', 'in another currency');
select is(test.stands('euro'), 'PAID 7 7, PAID -1.2 -1.2, PAID -1.2 -1.2', 'nothing is due, either');
select throws_ok($$select admin.record_refund('none', 1, 'bank 6')$$, 'VG409', null, 'nothing is too much of whoever has paid nothing');
select is_empty('select v.* from ops.invariant_violation as v', 'all is accounted for');
select * from finish();
rollback;
