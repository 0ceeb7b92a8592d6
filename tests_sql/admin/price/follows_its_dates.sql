begin;
select plan(10);
select test.make_offer('maker', 'model-a', null, null);
insert into admin.price (provider, model, meter, usd_per_million) values ('maker', 'model-a', 'INPUT', 5), ('maker', 'model-a', 'output', 5);
select results_eq(
    $$select p.meter, p.usd_per_million, p.valid_from, p.valid_to, p.price_source, p.is_in_force from admin.price as p
        where p.model = 'model-a' order by 1$$,
    $$values ('input', 5::numeric, '-infinity'::timestamptz, 'infinity'::timestamptz, 'HAND', true),
        ('output', 5, '-infinity', 'infinity', 'HAND', true)$$, 'the first one holds since ever'
);
insert into admin.price (provider, model, meter, usd_per_million) values ('maker', 'model-a', 'input', 6);
select is((select input_usd_per_million from admin.model where model = 'model-a'), 5::numeric, 'as the transaction began');
select is((select usd_per_million from admin.price where model = 'model-a' and meter = 'input' and valid_from > '-infinity'),
    6::numeric, 'a second one from now on');
delete from admin.price where usd_per_million = 6;
insert into admin.price (provider, model, meter, usd_per_million, valid_from, valid_to)
values ('maker', 'model-a', 'input', 1, now() - interval '1 hour', now() + interval '1 hour');
select is((select input_usd_per_million from admin.model where model = 'model-a'), 1::numeric, 'one with an end lies over it');
select is((select array_agg(usd_per_million order by valid_from) from admin.price where model = 'model-a' and is_in_force and meter = 'input'),
    '{1}'::numeric[], 'and is the one in force');
update admin.price set valid_to = now() - interval '1 minute' where model = 'model-a' and usd_per_million = 1;
select is((select input_usd_per_million from admin.model where model = 'model-a'), 5::numeric, 'and gives way again');
update admin.price set valid_from = now() - interval '2 hours' where model = 'model-a' and usd_per_million = 1;
select is((select count(*) from admin.price where model = 'model-a' and meter = 'input'), 2::bigint, 'it can be moved');
update admin.price set usd_per_million = usd_per_million * 2 where model = 'model-a';
select is((select sum(usd_per_million) from admin.price where model = 'model-a'), 22::numeric, 'all at once');
delete from admin.price where model = 'model-a' and meter = 'output';
select is((select unroutable_because from admin.model where model = 'model-a'), 'no_price', 'without one it is off the road');
select is((select count(*) from admin.price_history where model = 'model-a'), 9::bigint, 'every version is kept');
select * from finish();
rollback;
