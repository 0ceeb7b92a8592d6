begin;
select plan(9);
select test.make_offer('maker', m, null, null) from unnest('{a,b,c}'::text[]) as m;
create temporary table given as
select jsonb_build_object(
    'offer_hk', util.hash_key('maker', m), 'meter', 'input', 'valid_from', '-infinity', 'usd_per_million', 1.50,
    'threshold_tokens', 0, 'service_tier', 'standard', 'region', '', 'mode', 'sync', 'variant', ''
) as row from unnest('{a,b,c}'::text[]) as m;
create function pg_temp.load(p_rows jsonb) returns bigint language sql as $$
    select util.fn_load_satellites('gateway.offer_price_s', '{offer_hk,meter,valid_from,threshold_tokens,service_tier,region,mode,variant}', p_rows, 'many')
$$;
select is(pg_temp.load(jsonb_agg(row)), 3::bigint, 'three new ones') from given;
select is(pg_temp.load(jsonb_agg(row)), 0::bigint, 'the same again') from given;
select is(
    util.fn_load_satellite('gateway.offer_price_s', row - 'usd_per_million', '{"usd_per_million": 1.5}', 'one'), false,
    'the single loader knows them by the same hash'
) from given order by row limit 1;
select util.fn_load_satellite('gateway.offer_price_s', row - 'usd_per_million', '{"usd_per_million": 2}', 'one') from given order by row limit 1;
select is(pg_temp.load(jsonb_agg(row)), 1::bigint, 'what changed since is changed back') from given;
select is((select count(*) from gateway.offer_price_s where load_end_date is null and offer_hk in (select (row ->> 'offer_hk')::bytea from given)),
    3::bigint, 'one current row a key');
select is((select count(*) from gateway.offer_price_s where offer_hk in (select (row ->> 'offer_hk')::bytea from given)), 5::bigint,
    'every version is kept');
select is(
    (select count(*) from gateway.offer_price_s as s where s.load_end_date is not null and not exists (
        select from gateway.offer_price_s as n where n.offer_hk = s.offer_hk and n.load_date = s.load_end_date
    ) and s.record_source in ('one', 'many')), 0::bigint, 'each ends when the next begins'
);
select is((select count(*) from ops.offer where input_usd_per_million = 1.5 and model_bk in ('a', 'b', 'c')), 3::bigint, 'routing knows');
select throws_ok($$select pg_temp.load('[{"price": 1}]')$$, 'VG400', 'gateway.offer_price_s has no column price', 'a column that is none');
select * from finish();
rollback;
