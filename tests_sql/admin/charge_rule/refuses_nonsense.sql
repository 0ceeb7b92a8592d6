begin;
select plan(30);
select test.make_offer('maker', 'model-a');
select test.make_customer('buyer', '{}', 'one');
select test.make_customer('other', '{}', 'two');
insert into admin.plan (plan, monthly_fee_usd) values ('gold', 50);
create function pg_temp.refuses(p_columns text, p_values text, p_code text, p_said text, p_name text) returns text language sql as $$
    select throws_ok(
        format('insert into admin.charge_rule (charge_rule, %s) values (''x'', %s)', p_columns, p_values), p_code, p_said, p_name
    );
$$;
select pg_temp.refuses(r.columns, r.given, r.code, r.said, r.said)
from (
    values
    ('customer', '''buyer''', 'VG400', 'A charge rule makes the price in one way'),
    ('meter, markup_percent, usd_per_million', '''input'', 1, 1', 'VG400', 'A charge rule makes the price in one way'),
    ('usd_per_million', '3', 'VG400', 'A list price is of a meter'),
    ('meter, usd_per_million', '''input'', -1', 'VG400', 'A list price cannot be negative'),
    ('markup_percent', '-100.0001', 'VG400', 'A markup below -100 % would pay the customer'),
    ('meter, markup_percent', '''prompt'', 1', 'VG400', 'This meter is not known'),
    ('markup_percent, from_month_usd', '1, -1', 'VG400', 'A volume cannot be negative'),
    ('markup_percent, minimum_usd', '1, -1', 'VG400', 'A minimum cannot be negative'),
    ('meter, markup_percent, minimum_usd', '''input'', 1, 1', 'VG400', 'A minimum is of the whole request'),
    ('meter, markup_percent, passes_cache_savings', '''output'', 1, false', 'VG400', 'Only the price of input can keep what a cache saves'),
    ('markup_percent, valid_from, valid_to', '1, ''2026-01-01'', ''2026-01-01''', 'VG400', 'This would end before it begins'),
    ('markup_percent, customer', '1, ''nobody''', 'VG404', 'There is no customer ''nobody'''),
    ('markup_percent, tenant', '1, ''nobody''', 'VG404', 'There is no tenant ''nobody'''),
    ('markup_percent, plan', '1, ''silver''', 'VG404', 'There is no plan ''silver'''),
    ('markup_percent, provider', '1, ''nobody''', 'VG404', 'There is no provider ''nobody'''),
    ('markup_percent, model', '1, ''maker/model-a''', 'VG400', '''maker/model-a'' is no model'),
    ('markup_percent, provider, model', '1, ''maker'', ''model-b''', 'VG404', 'The provider ''maker'' has no model ''model-b'''),
    ('markup_percent, customer, tenant', '1, ''buyer'', ''two''', 'VG400', 'The customer ''buyer'' is of the tenant ''one'''),
    ('markup_percent', '''NaN''', 'VG400', 'markup_percent is not a number'),
    ('markup_percent, minimum_usd', '1, ''infinity''', 'VG400', 'A number is larger than its column holds')
) as r (columns, given, code, said);
select throws_ok($$insert into admin.charge_rule (markup_percent) values (1)$$, 'VG400', 'A charge rule needs a name', 'a name');
select is((select count(*) from admin.charge_rule), 0::bigint, 'nothing of it is kept');
insert into admin.charge_rule (charge_rule, customer, model, meter, usd_per_million) values ('Buyer in', 'Buyer', 'Model-A', ' INPUT ', 3);
select is(
    (select to_jsonb(r) from admin.charge_rule as r),
    '{"charge_rule": "Buyer in", "tenant": "one", "customer": "buyer", "plan": null, "provider": null, "model": "model-a",
    "meter": "input", "markup_percent": null, "usd_per_million": 3, "from_month_usd": 0, "minimum_usd": null,
    "passes_cache_savings": true, "valid_from": "-infinity", "valid_to": "infinity", "is_active": true}'::jsonb,
    'what is left out is what is mostly meant'
);
select throws_ok($$insert into admin.charge_rule (charge_rule, markup_percent) values ('buyer IN', 1)$$, 'VG409',
    'There is a charge rule ''buyer IN'' already', 'a name that is taken');
select throws_ok($$insert into admin.charge_rule (charge_rule, customer, model, meter, markup_percent) values ('y', 'buyer', 'model-a', 'input', 1)$$,
    'VG409', 'The rule ''Buyer in'' is about the same', 'two of which nobody could say which counts');
select throws_ok($$update admin.charge_rule set charge_rule = 'z' where true$$, 'VG400', 'charge_rule cannot be set here', 'another name');
insert into admin.charge_rule (charge_rule, customer, model, meter, markup_percent, valid_from)
values ('y', 'buyer', 'model-a', 'input', 1, '2026-01-01');
insert into admin.charge_rule (charge_rule, customer, model, meter, markup_percent, is_active) values ('w', 'buyer', 'model-a', 'input', 2, false);
select throws_ok($$update admin.charge_rule set valid_from = '-infinity' where charge_rule = 'y'$$, 'VG409',
    'The rule ''Buyer in'' is about the same', 'nor by a change');
create temporary table moment as select clock_timestamp() as at;
delete from admin.charge_rule where charge_rule = 'Buyer in';
update admin.charge_rule set is_active = true where charge_rule = 'w';
select is(
    (select array_agg(h.is_active order by h.load_date) from admin.charge_rule_history as h where h.charge_rule = 'Buyer in'), '{t,f}',
    'its history stays'
);
select throws_ok(
    $$select admin.restore('charge_rule', 'buyer in', m.at) from moment as m$$, 'VG409', 'Another rule is about the same',
    'brought back it would be the second'
);
update admin.charge_rule set is_active = false where charge_rule = 'w';
select is(admin.restore('charge_rule', 'buyer in', m.at), 'buyer in as of ' || m.at, 'brought back') from moment as m;
select * from finish();
rollback;
