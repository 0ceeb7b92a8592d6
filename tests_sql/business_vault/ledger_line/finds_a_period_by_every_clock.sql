begin;
select plan(4);
select test.make_offer('maker', 'model-a');
select test.make_tenant(z.name, jsonb_build_object('time_zone', z.name)), test.make_customer('user of ' || z.name, '{}', z.name)
from unnest('{Pacific/Kiritimati,Etc/GMT+12,Asia/Kolkata,America/New_York,Australia/Lord_Howe,UTC}'::text[]) as z (name);
-- The first and the last microsecond of months, with those in which clocks are put forth and back, by each clock.
select count(test.book_at('user of ' || z.name, t.at, jsonb_build_object('customer_cost', 2, 'provider_cost', 1, 'gateway_markup', 1)))
from unnest('{Pacific/Kiritimati,Etc/GMT+12,Asia/Kolkata,America/New_York,Australia/Lord_Howe,UTC}'::text[]) as z (name)
cross join generate_series(timestamp '2025-11-01', timestamp '2026-11-01', interval '1 month') as m (month)
cross join lateral (
    values (m.month at time zone z.name), (m.month at time zone z.name - interval '1 microsecond')
) as t (at);
create temporary view told as select v.* from business_vault.ledger_line as v where v.entry_kind = 'CHARGE';
select is(
    (select count(*) from told as t inner join gateway.api_request_s as s on t.entry_id = encode(s.api_request_hk, 'hex')::uuid
        where t.billing_period = date_trunc('month', s.request_timestamp at time zone t.tenant)::date),
    2 * 2 * 13 * 6::bigint, 'each charge has the month of its tenant''s clock'
);
select is(
    (select count(*) from told as t where t.billing_period = '2026-03-01'), 2 * 2 * 6::bigint, 'who asks for a month finds its first moment and its last'
);
select is(
    (select sum(t.debit_usd) from told as t where t.billing_period >= '2026-01-01' and t.billing_period < '2026-04-01'), 3 * 2 * 6 * 2::numeric,
    'and so for a quarter'
);
select is(
    (select (min(m.month), max(m.month), count(*)) from util.month_r as m
        where m.ends_before > (m.month + interval '1 month') at time zone 'Etc/GMT+12' and m.begins_after < m.month::timestamp at time zone 'Etc/GMT-14'),
    ('2000-01-01'::date, '2199-12-01'::date, 2400::bigint), 'every month is there, with hours to spare'
);
select * from finish();
rollback;
