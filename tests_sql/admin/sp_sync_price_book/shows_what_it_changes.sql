begin;
select plan(13);
create function pg_temp.book(p_prices jsonb, p_others jsonb default '[]', p_from text default null) returns jsonb language sql as $$
    select jsonb_build_array(jsonb_build_object(
        'provider', 'booked', 'model', 'one', 'upstream_model', 'one', 'prices', p_prices, 'other_prices', p_others, 'valid_from', p_from
    ))
$$;
create function pg_temp.sync(p_offers jsonb) returns text language sql as $$
    select s::text from admin.sp_sync_price_book(
        'book 1', '[{"provider": "booked", "provider_name": "Booked", "api_endpoint": "https://example.com/v1", "needs_key": false}]',
        p_offers
    ) as s
$$;
create function pg_temp.diff(p_offers jsonb) returns setof text language sql as $$
    select concat_ws(' ', c.change, c.meter, nullif(c.variant, ''), nullif(c.service_tier, 'standard'), nullif(c.mode, 'sync'),
        nullif(c.threshold_tokens, 0), coalesce(c.usd_per_million_before::text, '-'), coalesce(c.usd_per_million::text, '-'))
    from admin.sp_compare_prices(p_offers) as c;
$$;
create temporary table book as select pg_temp.book('{"input": "2", "output": "10"}', '[
    {"meter": "input", "threshold_tokens": 200000, "usd_per_million": "4"},
    {"meter": "input", "service_tier": "flex", "usd_per_million": "1"}, {"meter": "input", "mode": "batch", "usd_per_million": "0.5"},
    {"meter": "image", "variant": "1024x1024/high", "usd_per_million": "40000"}
]') as first;
select results_eq('select pg_temp.diff(first) from book', $$values ('added image 1024x1024/high - 40000'), ('added input flex - 1'),
    ('added input batch - 0.5'), ('added input - 2'), ('added input 200000 - 4'), ('added output - 10')$$, 'of a model that is not there yet all is new');
select is_empty('select from admin.price where provider = ''booked''', 'showing it changes nothing');
select is(pg_temp.sync(first), '(1,1,6,0,0)', 'bringing it in does as shown') from book;
select is_empty('select pg_temp.diff(first) from book', 'then there is nothing to show');
select results_eq(
    $$select o.service_tier, o.above_tokens, o.input_usd_per_million from ops.offer as o where o.provider_bk = 'booked' order by 1, 2$$,
    $$values ('batch', 0, 0.5), ('batch', 200000, 0.5), ('flex', 0, 1), ('flex', 200000, 1), ('standard', 0, 2), ('standard', 200000, 4)$$,
    'routing knows them all'
);
-- Prices change, one is new, one is gone.
create temporary table next as select pg_temp.book('{"input": "3", "output": "10", "cache_read": "1"}', '[
    {"meter": "input", "threshold_tokens": 128000, "usd_per_million": "5"}, {"meter": "input", "service_tier": "flex", "usd_per_million": "1"}
]') as book;
select results_eq('select pg_temp.diff(book) from next', $$values ('added cache_read - 1'), ('ended image 1024x1024/high 40000 -'),
    ('ended input batch 0.5 -'), ('changed input 2 3'), ('added input 128000 - 5'), ('ended input 200000 4 -')$$, 'old and new');
-- A person sets a price: what is of the same meter and tier is his, at all thresholds; other tiers are not.
insert into admin.price (provider, model, meter, usd_per_million) values ('booked', 'one', 'input', 1.5);
select results_eq('select pg_temp.diff(book) from next', $$values ('added cache_read - 1'), ('ended image 1024x1024/high 40000 -'),
    ('ended input batch 0.5 -'), ('kept input 1.5 3'), ('kept input 128000 1.5 5')$$, 'kept because it was set by hand');
select is(pg_temp.sync(book), '(0,0,1,2,2)', 'no more than that is done') from next;
select results_eq(
    $$select p.usd_per_million, p.price_source from admin.price as p where p.provider = 'booked' and p.meter = 'input' order by 1$$,
    $$values (1::numeric, 'PRICE_BOOK'), (1.5, 'HAND'), (2, 'PRICE_BOOK'), (4, 'PRICE_BOOK')$$, 'his price stands, and so does what lies below it'
);
select is(pg_temp.sync(pg_temp.book('{"input": "3", "output": "12", "cache_read": "1"}',
    '[{"meter": "input", "service_tier": "flex", "usd_per_million": "1"}]', '2031-01-01')),
    '(0,0,6,3,1)', 'a price with a future date cuts the one before it');
select results_eq(
    $$select o.output_usd_per_million from ops.offer as o
        where o.provider_bk = 'booked' and o.service_tier = 'standard' and o.above_tokens = 0
            and o.valid_to > '2030-12-31' and o.valid_from <= '2031-01-01' order by o.valid_from$$,
    $$values (10::numeric), (12)$$, 'and takes effect by itself'
);
set local role onevault_dba;
select lives_ok($$select * from admin.sp_compare_prices('[]')$$, 'a DBA may ask');
select throws_ok($$select admin.fn_sync_prices('[]')$$, '42501', null, 'and brings it in by its door');
reset role;
select * from finish();
rollback;
