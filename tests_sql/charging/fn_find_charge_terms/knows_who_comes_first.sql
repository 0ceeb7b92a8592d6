begin;
select plan(25);
select test.make_offer('maker', 'model-a');
select test.make_offer('maker', 'model-b');
select test.make_offer('other', 'model-a');
select test.make_customer('buyer', '{}', 'one');
select test.make_customer('peer', '{}', 'one');
select test.make_customer('stranger', '{}', 'two');
insert into admin.plan (plan, monthly_fee_usd) values ('gold', 50);
insert into admin.subscription (customer, plan) values ('buyer', 'gold');
create function pg_temp.finds(p_customer text, p_provider text default 'maker', p_model text default 'model-a', p_month_usd numeric default 0)
returns text language sql as $$
    select coalesce(string_agg(r ->> 'rule', ',' order by n), '-')
    from ops.principal as p,
        jsonb_array_elements(gateway.fn_find_charge_terms(
            gateway.fn_open_charge_rules(p.charge_rules, p_month_usd, now()), p_provider, p_model
        )) with ordinality as t (r, n)
    where p.customer_bk = p_customer;
$$;
create function pg_temp.have(p_name text, p_settings jsonb default '{}') returns void language sql as $$
    insert into admin.charge_rule
    select (jsonb_populate_record(null::admin.charge_rule, '{"markup_percent": 10}' || p_settings || jsonb_build_object('charge_rule', p_name))).*;
$$;
select is((select count(p.charge_rules) from ops.principal as p), 0::bigint, 'nobody has any');
select pg_temp.have('all');
select is(pg_temp.finds('stranger'), 'all', 'for everybody');
select pg_temp.have('tenant', '{"tenant": "one"}');
select is((pg_temp.finds('buyer'), pg_temp.finds('stranger')), ('tenant'::text, 'all'::text), 'the tenant''s before everybody''s');
select pg_temp.have('plan', '{"plan": "gold"}');
select is((pg_temp.finds('buyer'), pg_temp.finds('peer')), ('plan'::text, 'tenant'::text), 'the plan''s before the tenant''s');
select pg_temp.have('tenant plan', '{"plan": "gold", "tenant": "one"}');
select is(pg_temp.finds('buyer'), 'tenant plan', 'the plan''s in his tenant before the plan''s');
select pg_temp.have('customer', '{"customer": "buyer"}');
select is((pg_temp.finds('buyer'), pg_temp.finds('peer')), ('customer'::text, 'tenant'::text), 'the customer''s before all');
select pg_temp.have('customer plan', '{"customer": "buyer", "plan": "gold"}');
select is(pg_temp.finds('buyer'), 'customer plan', 'and while he has a plan before that');
delete from admin.charge_rule where charge_rule = 'customer plan';
select pg_temp.have('all model', '{"provider": "maker", "model": "model-a"}');
select is(pg_temp.finds('buyer'), 'customer', 'whom it is about comes before what it is about');
select is((pg_temp.finds('stranger'), pg_temp.finds('stranger', 'other')), ('all model'::text, 'all'::text), 'of two for everybody the model''s');
select pg_temp.have('provider', '{"customer": "buyer", "provider": "maker"}');
select is((pg_temp.finds('buyer'), pg_temp.finds('buyer', 'other')), ('provider'::text, 'customer'::text), 'the provider''s before any''s');
select pg_temp.have('model', '{"customer": "buyer", "model": "model-a"}');
select is((pg_temp.finds('buyer'), pg_temp.finds('buyer', 'maker', 'model-b')), ('model'::text, 'provider'::text), 'the model''s before the provider''s');
select pg_temp.have('model at provider', '{"customer": "buyer", "provider": "other", "model": "model-a"}');
select is((pg_temp.finds('buyer', 'other'), pg_temp.finds('buyer')), ('model at provider'::text, 'model'::text), 'and at one before at any');
select pg_temp.have('input', '{"customer": "buyer", "model": "model-a", "meter": "input"}');
select is(pg_temp.finds('buyer'), 'input,model', 'the meter''s before the total''s, which is for all others');
select pg_temp.have('output of all', '{"meter": "output"}');
select pg_temp.have('output of the provider', '{"customer": "buyer", "provider": "maker", "meter": "output"}');
select is(pg_temp.finds('buyer'), 'input,model', 'a meter''s that is about less does not come before');
select is(pg_temp.finds('buyer', 'maker', 'model-b'), 'output of the provider,provider', 'where it is about as much it does');
select is(pg_temp.finds('stranger', 'maker', 'model-b'), 'output of all,all', 'each meter by its own');
select pg_temp.have('from 100', '{"customer": "buyer", "model": "model-a", "from_month_usd": 100}');
select pg_temp.have('from 1000', '{"customer": "buyer", "model": "model-a", "from_month_usd": 1000}');
select pg_temp.have('all from 50', '{"from_month_usd": 50}');
select is(
    array[pg_temp.finds('buyer', p_month_usd => 99.9999999999), pg_temp.finds('buyer', p_month_usd => 100),
        pg_temp.finds('buyer', p_month_usd => 999.9999999999), pg_temp.finds('buyer', p_month_usd => 1000)],
    '{"input,model","input,from 100","input,from 100","input,from 1000"}', 'the highest volume that is reached, to the last cent'
);
select is(pg_temp.finds('peer', p_month_usd => 5000), 'tenant', 'volume comes after whom it is about');
select pg_temp.have('renewed', '{"customer": "buyer", "model": "model-a", "from_month_usd": 100, "valid_from": "2020-01-01"}');
select is(pg_temp.finds('buyer', p_month_usd => 500), 'input,renewed', 'of the same the one that began last');
select pg_temp.have('more renewed', '{"customer": "buyer", "model": "model-a", "from_month_usd": 100, "valid_from": "2021-01-01", "valid_to": "2021-02-01"}');
select is(pg_temp.finds('buyer', p_month_usd => 500), 'input,renewed', 'as long as it holds');
update admin.charge_rule set is_active = false where charge_rule = 'renewed';
select is(pg_temp.finds('buyer', p_month_usd => 500), 'input,from 100', 'one that is switched off counts for nothing');
update admin.charge_rule set customer = 'peer' where charge_rule = 'input';
select is((pg_temp.finds('buyer'), pg_temp.finds('peer')), ('model'::text, 'input,tenant'::text), 'made another customer''s, both know');
select is((select r.tenant from admin.charge_rule as r where r.charge_rule = 'input'), 'one', 'of the same tenant');
update admin.charge_rule set customer = 'stranger' where charge_rule = 'input';
select is((select r.tenant from admin.charge_rule as r where r.charge_rule = 'input'), 'two', 'of another');
delete from admin.charge_rule where true;
select is((select count(p.charge_rules) from ops.principal as p), 0::bigint, 'and nobody has any');
select * from finish();
rollback;
