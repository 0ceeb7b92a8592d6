begin;
select plan(13);
create function pg_temp.sync(p_offers jsonb) returns text language sql as $$
    select s::text from admin.sp_sync_price_book(
        'book 1', '[{"provider": "booked", "provider_name": "Booked", "api_endpoint": "https://example.com/v1", "needs_key": false}]',
        p_offers
    ) as s
$$;
create temporary table book as select '[
    {"provider": "booked", "model": "one", "upstream_model": "one-1", "capabilities": ["chat"], "context_tokens": 8000,
     "max_output_tokens": null, "prices": {"input": "1.5", "output": "2"}, "valid_from": null, "valid_to": "2030-01-01"},
    {"provider": "booked", "model": "one", "upstream_model": "one-1", "capabilities": ["chat"], "context_tokens": 8000,
     "max_output_tokens": null, "prices": {"input": "1", "output": "2"}, "valid_from": "2030-01-01", "valid_to": null},
    {"provider": "booked", "model": "two", "upstream_model": "two", "capabilities": ["embedding"], "context_tokens": null,
     "prices": {"input": "0.1", "output": "0"}, "valid_from": null, "valid_to": null}
]'::jsonb as offers;
select is(pg_temp.sync(offers), '(1,2,6,0,0)', 'a provider, two models, six prices') from book;
select is(pg_temp.sync(offers), '(0,0,0,0,0)', 'twice the same changes nothing') from book;
select results_eq(
    $$select p.meter, p.usd_per_million, p.valid_to, p.price_source, p.is_in_force from admin.price as p
        where p.model = 'one' order by 1, p.valid_from$$,
    $$values ('input', 1.5, '2030-01-01 00:00+00'::timestamptz, 'PRICE_BOOK', true), ('input', 1, 'infinity', 'PRICE_BOOK', false),
        ('output', 2, '2030-01-01 00:00+00', 'PRICE_BOOK', true), ('output', 2, 'infinity', 'PRICE_BOOK', false)$$,
    'prices with their dates'
);
select is((select (m.upstream_model, m.context_tokens, m.max_output_tokens, m.unroutable_because)::text
    from admin.model as m where m.model = 'one'), '(one-1,8000,16384,)', 'what the book does not know has a default');
select is((select array_agg(distinct record_source) from admin.model_history where provider = 'booked'), '{price book}',
    'the record source says where it is from');
-- The book learns: another context, one price for all time, one meter more, one less.
select is(
    pg_temp.sync('[{"provider": "booked", "model": "one", "upstream_model": "one-1", "capabilities": ["chat"],
        "context_tokens": 9000, "prices": {"input": "1.5", "cache_read": "0.5"}, "valid_from": null, "valid_to": null}]'),
    '(0,1,2,3,0)', 'what changed is told'
);
select results_eq(
    $$select p.meter, p.usd_per_million, p.valid_to from admin.price as p where p.model = 'one' order by 1$$,
    $$values ('cache_read', 0.5, 'infinity'::timestamptz), ('input', 1.5, 'infinity')$$, 'rows it no longer has end'
);
select is((select count(*) from admin.price where model = 'two'), 2::bigint, 'models it no longer names stay on the road');
-- The book learns that a price will change: what holds until then is cut there.
select is(
    pg_temp.sync('[{"provider": "booked", "model": "one", "upstream_model": "one-1", "capabilities": ["chat"], "context_tokens": 9000,
        "prices": {"input": "3", "cache_read": "0.5"}, "valid_from": "2031-01-01", "valid_to": null}]'),
    '(0,0,4,2,0)', 'a window that begins later'
);
select results_eq(
    $$select p.usd_per_million, p.valid_to from admin.price as p where p.model = 'one' and p.meter = 'input' order by p.valid_from$$,
    $$values (1.5, '2031-01-01 00:00+00'::timestamptz), (3, 'infinity')$$, 'cuts the one before'
);
select is(pg_temp.sync(offers), '(0,1,4,3,0)', 'back again') from book;
select is((select count(*) from admin.price where model = 'one'), 4::bigint, 'it is as it was');
select is((select unroutable_because from admin.model where model = 'one'), null, 'and on the road');
select * from finish();
rollback;
