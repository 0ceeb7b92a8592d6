begin;
select plan(8);
select test.make_offer('maker', 'model-a'), test.make_offer('maker', 'model-b');
select test.make_customer('berlin'), test.make_customer('tokyo');
insert into admin.tax_rate (tax, valid_from, tax_percent, description) values ('DE VAT', '2020-01-01', 19, 'VAT 19 %');
insert into admin.exchange_rate (currency, rate_date, units_per_usd) values ('EUR', '2026-01-10', 0.5), ('EUR', '2026-01-30', 0.91), ('EUR', '2026-02-03', 2),
    ('JPY', '2026-01-30', 150);
insert into admin.billing_profile (customer, legal_name, tax, currency) values ('berlin', 'Berlin GmbH', 'DE VAT', 'EUR');
insert into admin.billing_profile (customer, currency) values ('tokyo', 'JPY');
select test.booked('berlin', '2026-01-15 10:00Z', 10.005), test.booked('berlin', '2026-01-15 10:00Z', 0.05, p_model => 'model-b'),
    test.booked('tokyo', '2026-01-15 10:00Z', 0.01);
select results_eq(
    $$select c.customer, c.total, c.currency from gateway.sp_close_month('2026-01-01') as c$$,
    -- 10.005 x 0.91 = 9.10455, 0.05 x 0.91 = 0.0455; 9.15 and 19 % of it, 1.7385; 0.01 x 150 = 1.5
    $$values ('berlin', '10.89', 'EUR'), ('tokyo', '2', 'JPY')$$, 'by the last rate of the month, each line rounded once'
);
select results_eq(
    $$select l.* from test.lines_of('berlin', '2026-01-01') as l$$,
    $$values ('USAGE', 'maker/model-a', 9.10::numeric), ('USAGE', 'maker/model-b', 0.05), ('TAX', 'VAT 19 %', 1.74)$$, 'line by line'
);
select is(b.bill #>> '{buyer,legal_name}', 'Berlin GmbH', 'whom it is for') from (select admin.sp_read_bill('berlin', '2026-01-01') as bill) as b;
select is((b.bill ->> 'units_per_usd', b.bill ->> 'rate_date'), ('0.91'::text, '2026-01-30'::text), 'and by which rate')
from (select admin.sp_read_bill('berlin', '2026-01-01') as bill) as b;
select is(test.balance_of('berlin', 'unbilled'), 0.0000000000, 'nothing is left unbilled');
select is(test.balance_of('berlin', 'receivable'), round(10.89 / 0.91, 10), 'what is owed, in USD');
select is(test.balance_of('berlin', 'tax_payable'), -round(1.74 / 0.91, 10), 'the tax is not ours');
select is(test.balance_of('berlin', 'rounding'), 10.055 + round(1.74 / 0.91, 10) - round(10.89 / 0.91, 10), 'and what rounding took is known');
select * from finish();
rollback;
