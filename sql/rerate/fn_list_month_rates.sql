-- The prices of a month's attempts as they are known now: for each offer, tier that served and tier that was asked for,
-- by periods of the price book and by ranges of input tokens. As few rows as there are prices, so that attempts only
-- need to be joined. What was asked for and is no tier of the offer was asked for as standard.
create or replace function gateway.fn_list_month_rates(p_period date)
returns table (
    offer_hk bytea, service_tier text, asked_tier text, asked_tiers text[], valid_from timestamptz,
    valid_to timestamptz, above_tokens bigint, up_to_tokens bigint, rate jsonb
)
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
with used as materialized (
    select distinct a.offer_hk, a.service_tier::text as service_tier
    from gateway.api_request_attempt_s as a
    where
        a.api_request_hk >= util.fn_request_key_at((p_period - 1)::timestamp at time zone 'UTC')
        and a.api_request_hk < util.fn_request_key_at((p_period + interval '1 month 1 day') at time zone 'UTC')
),

bounds as (
    select u.offer_hk, (p_period - 1)::timestamp at time zone 'UTC' as bound from used as u
    union
    select p.offer_hk, b.bound
    from gateway.offer_price_s as p
    cross join lateral (values (p.valid_from), (p.valid_to)) as b (bound)
    where
        p.load_end_date is null and b.bound > (p_period - 1)::timestamp at time zone 'UTC'
        and b.bound < (p_period + interval '1 month 1 day') at time zone 'UTC'
        and p.offer_hk in (select u.offer_hk from used as u)
),

periods as (
    select
        b.offer_hk, b.bound as valid_from,
        lead(b.bound, 1, 'infinity') over (partition by b.offer_hk order by b.bound) as valid_to
    from bounds as b
),

listed as materialized (
    select d.offer_hk, d.valid_from, d.valid_to, r.service_tier, r.service_tiers, r.held, r.further_prices
    from periods as d
    inner join gateway.offer_l as l on d.offer_hk = l.offer_hk
    cross join lateral (
        select s.adapter_settings from gateway.ai_provider_s as s
        where s.provider_hk = l.provider_hk
        order by s.load_date desc
        limit 1
    ) as v
    cross join lateral ops.fn_list_rates(d.offer_hk, d.valid_from, lower(v.adapter_settings ->> 'region')) as r
    where r.above_tokens = 0
),

-- As they would be pinned with a call: ops.current_offer.
pinned as (
    select
        u.offer_hk, u.service_tier, l.service_tier as asked_tier, l.service_tiers, l.valid_from, l.valid_to,
        l.held || coalesce(l.further_prices, '{}') as prices
    from used as u
    inner join listed as l on u.offer_hk = l.offer_hk
),

ranges as (
    select
        p.*, b.above, lead(b.above, 1, 9223372036854775807) over (
            partition by p.offer_hk, p.service_tier, p.asked_tier, p.valid_from order by b.above
        ) as up_to
    from pinned as p
    cross join lateral (
        select 0::bigint as above
        union
        select t.above::bigint from jsonb_path_query(p.prices, '$.rates.*[*].above') as t (above)
    ) as b
)

select
    r.offer_hk, r.service_tier, r.asked_tier, r.service_tiers, r.valid_from, r.valid_to, r.above, r.up_to,
    gateway.fn_find_rate(r.prices, r.service_tier, r.above + 1)
from ranges as r;
$$;

comment on function gateway.fn_list_month_rates(date) is
'Tables of prices, as the price book says them now, for the attempts of a month: by offer, tier served and asked for,
time and range of input tokens.';
