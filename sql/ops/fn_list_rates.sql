-- The price book for one offer at one moment, as tables of prices: one for each service tier and range of input tokens.
-- A price by the region counts before one for any. What a tier has no price for costs what it costs in the standard
-- tier, and in a tier that is dearer no less than what it falls back to there. What is held by is the dearest up to the
-- range: the prompt may turn out to be shorter. Batches are listed for batches alone, so that reservations stay small.
-- A price of another region counts where calls can ask for one: it makes service tiers, geo_us and geo_us_fast.
create or replace function ops.fn_list_rates(p_offer_hk bytea, p_moment timestamptz, p_region text)
returns table (
    service_tier text, above_tokens integer, up_to_tokens integer, held jsonb, other_usd_per_million jsonb,
    further_prices jsonb, service_tiers text[]
)
language sql stable
set search_path = ''
as $$
with book as materialized (
    select distinct on (k.tier, s.threshold_tokens, k.meter)
        k.tier, s.threshold_tokens, k.meter, trim_scale(s.usd_per_million) as usd
    from gateway.offer_price_s as s
    cross join lateral (
        select
            case
                when s.mode = 'batch' then 'batch'
                when s.region in ('', p_region) then s.service_tier
                else concat_ws('_', 'geo', s.region, nullif(s.service_tier, 'standard'))
            end::text as tier,
            concat_ws('/', s.meter, nullif(s.variant, '')) as meter
    ) as k
    where
        s.offer_hk = p_offer_hk and s.load_end_date is null and s.valid_from <= p_moment and s.valid_to > p_moment
        and (s.region in ('', p_region) or s.mode = 'sync' and exists (
            select
            from gateway.offer_l as l
            inner join gateway.ai_provider_s as ps on l.provider_hk = ps.provider_hk and ps.load_end_date is null
            where l.offer_hk = p_offer_hk and ps.adapter_kind = 'anthropic'
        ))
    order by k.tier, s.threshold_tokens, k.meter, s.region = '', s.valid_from desc
),

tiers as (
    select 'standard' as tier
    union
    select b.tier from book as b
),

ranges as (
    select
        t.tier, r.threshold_tokens as above,
        lead(r.threshold_tokens, 1, 2147483647) over (partition by t.tier order by r.threshold_tokens) as up_to
    from tiers as t
    cross join lateral (
        select 0 as threshold_tokens
        union
        select b.threshold_tokens from book as b where b.tier in (t.tier, 'standard')
    ) as r
),

own as materialized (
    select r.tier, r.above, coalesce(jsonb_object_agg(m.meter, m.usd) filter (where m.meter is not null), '{}') as rate
    from ranges as r
    left join lateral (
        select distinct on (b.meter) b.meter, b.usd
        from book as b
        where b.tier = r.tier and b.threshold_tokens <= r.above
        order by b.meter, b.threshold_tokens desc
    ) as m on true
    group by r.tier, r.above
),

whole as materialized (
    select r.tier, r.above, r.up_to, ops.fn_complete_rate(o.rate, s.rate) as rate
    from ranges as r
    inner join own as o on r.tier = o.tier and r.above = o.above
    cross join lateral (
        select n.rate from own as n
        where n.tier = 'standard' and n.above <= r.above
        order by n.above desc limit 1
    ) as s
),

listed as (
    select l.tier, count(*) as tables, jsonb_agg(jsonb_build_object('above', l.above) || l.rate order by l.above) as rates
    from whole as l
    group by l.tier
),

summed as (
    select
        t.tier, sum(i.tables) as tables, jsonb_object_agg(i.tier, i.rates) as rates
    from tiers as t
    inner join listed as i on i.tier <> 'batch' or t.tier = 'batch'
    group by t.tier
)

select
    w.tier, w.above, w.up_to, h.held, nullif(o.others, '{}'),
    -- With nothing to choose from, what is held by is what is charged.
    case when u.tables = 1 then o.others else jsonb_build_object('tier', w.tier, 'rates', u.rates) end, a.tiers
from whole as w
inner join summed as u on w.tier = u.tier
cross join (select array_agg(t.tier order by t.tier) as tiers from tiers as t) as a
cross join lateral (
    select coalesce(jsonb_object_agg(d.meter, d.usd), '{}') as held
    from (
        select e.key as meter, max(e.value::numeric) as usd
        from whole as b
        cross join lateral jsonb_each_text(b.rate) as e
        where b.tier = w.tier and b.above <= w.above
        group by e.key
    ) as d
) as h
cross join lateral (select h.held - '{input,output,cache_read,cache_write}'::text[] as others) as o;
$$;

comment on function ops.fn_list_rates(bytea, timestamptz, text) is
'What an offer costs at a moment in a region, a row for each service tier and range of input tokens: what is held by
(held), what of it is of further meters, and what is pinned with a call beside its four common prices: those of further
meters or, where a call may be charged by another table of prices, all tables by tier (rates).';
