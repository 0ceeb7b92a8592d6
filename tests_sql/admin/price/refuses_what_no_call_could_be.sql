begin;
select plan(9);
select test.make_offer('maker', 'm', 1, 2);
create function pg_temp.put(p_price jsonb) returns void language sql as $$
    insert into admin.price (provider, model, meter, usd_per_million, threshold_tokens, service_tier, region, mode, variant)
    select 'maker', 'm', coalesce(p.meter, 'input'), 3, p.threshold_tokens, p.service_tier, p.region, p.mode, p.variant
    from jsonb_populate_record(null::admin.price, p_price) as p;
$$;
select throws_ok(format('select pg_temp.put(%L)', r.price), 'VG400', r.message, r.price)
from (values
    ('{"meter": "kilometer"}', 'This meter is not known'),
    ('{"threshold_tokens": -1}', 'A threshold cannot be negative'),
    ('{"service_tier": "very fast"}', 'A service tier is a word'),
    ('{"service_tier": "batch"}', 'batch is no service tier here'),
    ('{"region": "down under"}', 'A region is a word'),
    ('{"mode": "async"}', 'This mode is not known'),
    ('{"mode": "batch", "service_tier": "flex"}', 'Batches have no service tiers'),
    ('{"variant": "1024x1024/high"}', 'Tokens have no variants'),
    ('{"meter": "image", "variant": "very large"}', 'This variant cannot be told by a key')
) as r (price, message);
select * from finish();
rollback;
