begin;
select plan(9);
select test.make_provider('maker');
select test.make_customer('caller');
insert into admin.model (provider, model, capabilities) values ('MAKER', 'new-1', '{Chat}');
select results_eq(
    $$select m.provider, m.upstream_model, m.capabilities, m.features, m.context_tokens, m.max_output_tokens,
        m.default_output_tokens, m.is_active, m.unroutable_because from admin.model as m where m.model = 'new-1'$$,
    $$values ('maker', 'new-1', '{chat}'::text[], '{stream,tools,vision,structured}'::text[], 128000, 16384, 4096, true, 'no_price')$$,
    'what is not given has a default; without a price it is not routed to'
);
insert into admin.price (provider, model, meter, usd_per_million)
values ('maker', 'new-1', 'input', 2), ('maker', 'new-1', 'output', 8);
select is((select (m.input_usd_per_million, m.output_usd_per_million, m.cache_read_usd_per_million, m.unroutable_because)::text
    from admin.model as m where m.model = 'new-1'), '(2,8,2,)', 'the prices in force');
select is((test.route(sha256('caller/token'))).model, 'new-1', 'and calls go there');
update admin.model set features = '{tools}', max_output_tokens = 10, quality_score = 9.5 where model = 'new-1';
select is((test.route(sha256('caller/token'), '{"stream": true, "model": "new-1"}')).status, 'invalid_request', 'for the next call');
update admin.model set is_active = false where model = 'new-1';
select is((select unroutable_because from admin.model where model = 'new-1'), 'offer_inactive', 'switched off');
select is((select count(*) from admin.model_history where model = 'new-1'), 3::bigint, 'a version a change');
delete from admin.model where model = 'new-1';
select is_empty($$select from admin.price where model = 'new-1'$$, 'deleted, its prices have ended with it');
insert into admin.model (provider, model) values ('maker', 'new-1');
select is((select unroutable_because from admin.model where model = 'new-1'), 'no_price', 'inserted again, it needs prices again');
select is((select count(*) from admin.price_history where model = 'new-1'), 2::bigint, 'the old ones are history');
select * from finish();
rollback;
