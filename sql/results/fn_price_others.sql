-- Usage beside the four common buckets. What has no price is booked as such, at the dearest variant's price where
-- others have one, and marked: somebody has to look at it.
create or replace function gateway.fn_price_others(
    p_other jsonb, p_rate jsonb, out booked jsonb, out cost numeric, out input_tokens bigint, out output_tokens bigint,
    out has_unpriced boolean
)
language sql immutable
set search_path = ''
as $$
select
    jsonb_object_agg(u.key, jsonb_build_object('units', u.units, 'usd_per_million', p.usd)),
    coalesce(sum(u.units * p.usd), 0),
    sum(u.units) filter (where u.meter in ('cache_write_1h', 'input_audio', 'cache_read_audio', 'input_image'))::bigint,
    sum(u.units) filter (where u.meter in ('output_audio', 'output_image'))::bigint,
    coalesce(bool_or(p.is_guess), false)
from (
    select o.key, split_part(o.key, '/', 1) as meter, trim_scale(o.value::numeric) as units
    from jsonb_each_text(p_other) as o
    where jsonb_typeof(p_other -> o.key) = 'number' and o.value::numeric > 0
) as u
cross join lateral (
    select coalesce(f.usd, f.dearest_usd) as usd, f.usd is null as is_guess
    from (
        select
            gateway.fn_find_price(p_rate, u.key) as usd,
            (select max(r.value::numeric) from jsonb_each_text(p_rate) as r where r.key like u.meter || '/%')
                as dearest_usd
    ) as f
) as p;
$$;

comment on function gateway.fn_price_others(jsonb, jsonb) is
'Usage by further meters as it is booked, its cost in millionths of USD, its tokens, and whether some had no price.';
