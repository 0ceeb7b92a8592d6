begin;
select plan(10);
create function pg_temp.sync(p_price text) returns text language sql as $$
    select s::text from admin.sp_sync_price_book(
        'book 1', '[{"provider": "booked", "provider_name": "Booked", "api_endpoint": "https://example.com/v1", "needs_key": false}]',
        jsonb_build_array(
            jsonb_build_object('provider', 'booked', 'model', 'one', 'upstream_model', 'one', 'prices',
                jsonb_build_object('input', p_price, 'output', p_price)),
            jsonb_build_object('provider', 'booked', 'model', 'two', 'upstream_model', 'two', 'prices',
                jsonb_build_object('input', p_price, 'output', p_price))
        )
    ) as s
$$;
select is(pg_temp.sync('1'), '(1,2,4,0,0)', 'at first');
update admin.price set usd_per_million = 7 where model = 'one' and meter = 'input';
select is(pg_temp.sync('2'), '(0,0,3,0,1)', 'a price by hand is not touched');
select results_eq($$select p.meter, p.usd_per_million, p.price_source from admin.price as p where p.model = 'one' order by 1$$,
    $$values ('input', 7::numeric, 'HAND'), ('output', 2, 'PRICE_BOOK')$$, 'the other meter follows the book');
update admin.price set price_source = 'PRICE_BOOK' where model = 'one' and meter = 'input';
select is(pg_temp.sync('2'), '(0,0,1,0,0)', 'given back, it follows again');
insert into admin.price (provider, model, meter, usd_per_million, valid_from, valid_to)
values ('booked', 'one', 'output', 0, now() - interval '2 days', now() - interval '1 day');
select is(pg_temp.sync('3'), '(0,0,4,0,0)', 'one whose time is over keeps nothing back');
delete from admin.price where model = 'one' and price_source = 'HAND';
update admin.model set quality_score = 5, is_active = false where model = 'one';
update admin.provider set api_endpoint = 'https://proxy.example.com/v1' where provider = 'booked';
select is(pg_temp.sync('3'), '(0,0,0,0,0)', 'a changed model and a changed provider are a person''s');
select is((select is_active from admin.model where model = 'one'), false, 'switched off stays off');
delete from admin.model where model = 'two';
select is(pg_temp.sync('3'), '(0,0,0,0,0)', 'a deleted model does not come back');
delete from admin.provider where provider = 'booked';
select is(pg_temp.sync('3'), '(0,0,0,0,0)', 'nor does a deleted provider');
select is_empty($$select from admin.provider where provider = 'booked'$$, 'gone');
select * from finish();
rollback;
