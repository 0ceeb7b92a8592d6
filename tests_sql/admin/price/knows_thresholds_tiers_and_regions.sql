begin;
select plan(16);
select test.make_offer('maker', 'm', null, null, '{"context_tokens": 1000000, "default_output_tokens": 1000}');
insert into admin.price (provider, model, meter, usd_per_million) values ('maker', 'm', 'input', 2), ('maker', 'm', 'output', 10);
insert into admin.price (provider, model, meter, usd_per_million, threshold_tokens) values ('Maker', 'M', ' Input ', 4, 200000);
insert into admin.price (provider, model, meter, usd_per_million, service_tier) values ('maker', 'm', 'input', 1, 'Flex');
insert into admin.price (provider, model, meter, usd_per_million, mode) values ('maker', 'm', 'input', 0.5, 'batch');
insert into admin.price (provider, model, meter, usd_per_million, region) values ('maker', 'm', 'input', 3, 'eu-west-1');
insert into admin.price (provider, model, meter, usd_per_million, variant) values ('maker', 'm', 'image', 40000, '1024x1024/High');
select results_eq(
    $$select p.meter, p.threshold_tokens, p.service_tier, p.mode, p.region, p.variant, p.usd_per_million, p.valid_from, p.is_in_force
        from admin.price as p where p.model = 'm' and p.meter <> 'output' order by p.usd_per_million$$,
    $$values ('input', 0, 'standard', 'batch', '', '', 0.5, '-infinity'::timestamptz, true),
        ('input', 0, 'flex', 'sync', '', '', 1, '-infinity', true), ('input', 0, 'standard', 'sync', '', '', 2, '-infinity', true),
        ('input', 0, 'standard', 'sync', 'eu-west-1', '', 3, '-infinity', true),
        ('input', 200000, 'standard', 'sync', '', '', 4, '-infinity', true),
        ('image', 0, 'standard', 'sync', '', '1024x1024/high', 40000, '-infinity', true)$$,
    'each is a row of its own, since ever, as the first of its kind'
);
select is((select m.input_usd_per_million from admin.model as m where m.model = 'm'), 2::numeric, 'the headline is the plain one');
update admin.price set usd_per_million = 5 where model = 'm' and threshold_tokens = 200000;
select is((select p.usd_per_million from admin.price as p where p.model = 'm' and p.threshold_tokens = 200000), 5::numeric, 'one is changed');
select is((select m.input_usd_per_million from admin.model as m where m.model = 'm'), 2::numeric, 'and no other');
update admin.price set valid_from = now() + interval '1 day' where model = 'm' and service_tier = 'flex';
select is((select (p.valid_from > now(), p.is_in_force) from admin.price as p where p.model = 'm' and p.service_tier = 'flex'), (true, false), 'moved in time');
select is((select array_agg(distinct o.service_tier)
    from ops.offer as o where o.model_bk = 'm' and o.valid_from <= now()), '{batch,standard}', 'not a tier yet');
select is((select count(*) from ops.offer as o where o.model_bk = 'm' and o.service_tier = 'flex' and o.valid_from > now()), 2::bigint, 'it begins by itself');
delete from admin.price where model = 'm' and threshold_tokens = 200000;
select is((select (h.usd_per_million, h.ended_by = session_user)::text
    from admin.price_history as h where h.model = 'm' and h.threshold_tokens = 200000 and h.ended_by is not null), '(5,t)', 'ended, and in the history');
select is((select count(*) from ops.offer as o where o.model_bk = 'm' and o.above_tokens > 0), 0::bigint, 'a range less');
select is(
    admin.restore('price', 'maker/m/input', (select max(h.load_date) from admin.price_history as h where h.threshold_tokens = 200000)),
    'maker/m/input as of ' || (select max(h.load_date) from admin.price_history as h where h.threshold_tokens = 200000)::text, 'brought back'
);
select is((select p.usd_per_million from admin.price as p where p.model = 'm' and p.threshold_tokens = 200000), 5::numeric, 'as it was');
select is((select m.input_usd_per_million from admin.model as m where m.model = 'm'), 2::numeric, 'a region that is not the provider''s counts for nothing');
update admin.provider set adapter_settings = '{"region": "eu-west-1"}' where provider = 'maker';
select is((select m.input_usd_per_million from admin.model as m where m.model = 'm'), 3::numeric, 'one that is counts before any');
-- Who came before midnight pays what held then, however long the answer takes.
select test.make_customer('caller', '{"markup_percent": 0}');
update admin.provider set adapter_settings = '{}' where provider = 'maker';
create temporary table decision as select d.* from test.route(sha256('caller/token'), '{"model": "m"}') as d;
insert into admin.price (provider, model, meter, usd_per_million) values ('maker', 'm', 'input', 7), ('maker', 'm', 'output', 70);
select is(test.settle(test.decision(to_jsonb(d))) #>> '{cost,provider}', '0.00007', 'the price at its beginning') from decision as d;
select is(test.settle(test.route(sha256('caller/token'), '{"model": "m"}')) #>> '{cost,provider}', '0.00042', 'the next one pays the new price');
select throws_ok(
    $$insert into admin.price (provider, model, meter, usd_per_million, threshold_tokens, valid_from)
        values ('maker', 'm', 'input', 9, 200000, '2031-01-01'), ('maker', 'm', 'input', 9, 200000, '2031-01-01')$$, 'VG409', null, 'twice the same is refused'
);
select * from finish();
rollback;
