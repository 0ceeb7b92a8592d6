-- What bringing the book in would do to prices, and does: one list, shown or carried out. A row of the book that the
-- book no longer has is cut where the book's rows begin, or ends if they do not follow it. What a person set is kept:
-- the meter in its service tier, region, mode and variant, at all its thresholds and dates. A model that was deleted
-- stays so.
create or replace function admin.sp_compare_prices(p_offers jsonb)
returns table (
    change text, provider text, model text, offer_hk bytea, meter text, threshold_tokens integer, service_tier text,
    region text, mode text, variant text, valid_from timestamptz, valid_to timestamptz, usd_per_million numeric,
    usd_per_million_before numeric, valid_to_before timestamptz
)
language sql stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
with offers as materialized (
    select
        o.provider, o.model, util.hash_key(o.provider, o.model) as offer_hk, o.prices, o.other_prices,
        coalesce(o.valid_from, '-infinity') as valid_from, coalesce(o.valid_to, 'infinity') as valid_to
    from jsonb_to_recordset(p_offers) as o (
        provider text, model text, prices jsonb, other_prices jsonb, valid_from timestamptz, valid_to timestamptz
    )
    where coalesce((
        select bool_or(s.load_end_date is null) from gateway.offer_s as s
        where s.offer_hk = util.hash_key(o.provider, o.model)
    ), true)
),

given as materialized (
    select distinct on (o.offer_hk, m.thing, m.threshold_tokens, o.valid_from)
        o.provider, o.model, o.offer_hk, m.thing, m.threshold_tokens, o.valid_from, o.valid_to, m.usd_per_million
    from offers as o
    cross join lateral (
        select array[p.key, 'standard', '', 'sync', ''] as thing, 0 as threshold_tokens, p.value::numeric as usd_per_million
        from jsonb_each_text(o.prices) as p
        union all
        select
            array[
                a.meter, coalesce(a.service_tier, 'standard'), coalesce(a.region, ''), coalesce(a.mode, 'sync'),
                coalesce(a.variant, '')
            ],
            coalesce(a.threshold_tokens, 0), a.usd_per_million
        from jsonb_to_recordset(nullif(o.other_prices, 'null')) as a (
            meter text, service_tier text, region text, mode text, variant text, threshold_tokens integer,
            usd_per_million numeric
        )
    ) as m
    order by o.offer_hk, m.thing, m.threshold_tokens, o.valid_from
),

known as materialized (
    select
        s.offer_hk, array[s.meter, s.service_tier, s.region, s.mode, s.variant]::text[] as thing, s.threshold_tokens,
        s.valid_from, s.valid_to, s.usd_per_million, s.price_source, s.load_date
    from gateway.offer_price_s as s
    where s.load_end_date is null
),

by_hand as materialized (
    select k.offer_hk, k.thing, (array_agg(k.usd_per_million order by k.threshold_tokens, k.valid_from desc))[1] as usd
    from known as k
    where k.price_source = 'HAND' and k.valid_to > now()
    group by k.offer_hk, k.thing
),

begins as materialized (
    select g.provider, g.model, g.offer_hk, g.thing, g.threshold_tokens, min(g.valid_from) as valid_from
    from given as g
    group by g.provider, g.model, g.offer_hk, g.thing, g.threshold_tokens
),

coming as materialized (
    select
        case
            when h.offer_hk is not null then 'kept'
            when k.offer_hk is null then 'added'
            when k.usd_per_million = g.usd_per_million and k.valid_to = g.valid_to and k.price_source = 'PRICE_BOOK'
                then 'same'
            else 'changed'
        end as change,
        g.provider, g.model, g.offer_hk, g.thing, g.threshold_tokens, g.valid_from, g.valid_to, g.usd_per_million,
        coalesce(h.usd, k.usd_per_million) as usd_before,
        case when h.offer_hk is null then k.valid_to end as valid_to_before
    from given as g
    left join known as k
        on
            g.offer_hk = k.offer_hk and g.thing = k.thing and g.threshold_tokens = k.threshold_tokens
            and g.valid_from = k.valid_from
    left join by_hand as h on g.offer_hk = h.offer_hk and g.thing = h.thing
),

going as (
    select
        case when b.valid_from > k.valid_from then 'cut' else 'ended' end as change, n.provider, n.model, k.offer_hk,
        k.thing, k.threshold_tokens, k.valid_from,
        case when b.valid_from > k.valid_from then b.valid_from end as valid_to,
        case when b.valid_from > k.valid_from then k.usd_per_million end as usd_per_million,
        k.usd_per_million as usd_before, k.valid_to as valid_to_before
    from known as k
    inner join (select distinct o.offer_hk, o.provider, o.model from offers as o) as n on k.offer_hk = n.offer_hk
    left join begins as b
        on k.offer_hk = b.offer_hk and k.thing = b.thing and k.threshold_tokens = b.threshold_tokens
    left join given as g
        on
            k.offer_hk = g.offer_hk and k.thing = g.thing and k.threshold_tokens = g.threshold_tokens
            and k.valid_from = g.valid_from
    left join by_hand as h on k.offer_hk = h.offer_hk and k.thing = h.thing
    where
        k.price_source = 'PRICE_BOOK' and k.valid_to > now() and g.offer_hk is null and h.offer_hk is null
        and coalesce(b.valid_from < greatest(k.valid_to, k.valid_from + interval '1 second'), true)
)

select
    a.change, a.provider, a.model, a.offer_hk, a.thing[1], a.threshold_tokens, a.thing[2], a.thing[3], a.thing[4],
    a.thing[5], a.valid_from, a.valid_to, trim_scale(a.usd_per_million), trim_scale(a.usd_before), a.valid_to_before
from (
    select c.* from coming as c where c.change <> 'same'
    union all
    select g.* from going as g
) as a
order by a.provider, a.model, a.thing, a.threshold_tokens, a.valid_from;
$$;

comment on function admin.sp_compare_prices(jsonb) is
'What the price book would change: added, changed, cut (it ends earlier), ended, or kept because it was set by hand (the
price before is that one); a row a price.';
