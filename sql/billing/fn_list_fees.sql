-- What a customer's plans cost in a month, by the day. A day costs what the plan cost at its end in the tenant's zone;
-- days before a plan was known cost what it cost first. Rounding is by the largest remainder: what the rows of a plan
-- come to is what their days cost together, so a whole month is the fee, however often it is parted.
create or replace function gateway.fn_list_fees(p_customer_hk bytea, p_month date)
returns table (
    plan text, plan_name text, first_day date, last_day date, days smallint, fee_usd numeric, included_usd numeric
)
language sql
stable
set search_path = ''
begin atomic
    with month as (
        select
            m.first_day, (m.first_day + interval '1 month')::date as next_day, t.time_zone,
            extract(day from m.first_day + interval '1 month - 1 day')::integer as days
        from (values (date_trunc('month', p_month)::date)) as m (first_day)
        inner join gateway.customer_h as h on h.customer_hk = p_customer_hk
        cross join lateral (
            select n.time_zone
            from auth.tenant_s as n
            where n.tenant_hk = h.tenant_hk
            order by n.load_date desc
            limit 1
        ) as t
    ),

    subscribed as (
        select
            l.plan_hk, s.valid_from, s.trial_until, m.days as month_days,
            d.day::date as day, (d.day::date + 1)::timestamp at time zone m.time_zone as day_end
        from gateway.subscription_l as l
        inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk and s.load_end_date is null
        cross join month as m
        cross join lateral generate_series(
            greatest(s.valid_from, m.first_day)::timestamp, least(s.valid_to, m.next_day)::timestamp - interval '1 day',
            interval '1 day'
        ) as d (day)
        where l.customer_hk = p_customer_hk and s.valid_from < m.next_day and s.valid_to > m.first_day
    ),

    priced as (
        select
            s.plan_hk, s.valid_from, s.day, s.month_days, p.plan_name, p.included_usage_usd,
            case when s.day < s.trial_until then 0 else p.monthly_fee_usd end as monthly_fee_usd,
            coalesce(s.day < s.trial_until, false) as is_trial
        from subscribed as s
        cross join lateral (
            select v.plan_name, v.monthly_fee_usd, v.included_usage_usd
            from gateway.plan_s as v
            where v.plan_hk = s.plan_hk
            order by
                v.load_date < s.day_end desc, case when v.load_date < s.day_end then v.load_date end desc, v.load_date
            limit 1
        ) as p
    ),

    -- Days that follow each other at one price are a row.
    numbered as (
        select
            p.*, p.day - row_number() over (
                partition by p.plan_hk, p.valid_from, p.plan_name, p.monthly_fee_usd, p.included_usage_usd, p.is_trial
                order by p.day
            )::integer as island
        from priced as p
    ),

    -- In units of the tenth decimal, times the days of the month: whole numbers.
    spans as (
        select
            n.plan_hk, n.plan_name, n.month_days, min(n.day) as first_day, max(n.day) as last_day,
            count(*)::smallint as days,
            count(*) * n.monthly_fee_usd * 1e10 as fee, count(*) * n.included_usage_usd * 1e10 as included
        from numbered as n
        group by
            n.plan_hk, n.valid_from, n.plan_name, n.monthly_fee_usd, n.included_usage_usd, n.is_trial, n.island,
            n.month_days
    ),

    ranked as (
        select
            s.*,
            row_number() over (partition by s.plan_hk order by mod(s.fee, s.month_days) desc, s.first_day) as fee_place,
            row_number() over (partition by s.plan_hk order by mod(s.included, s.month_days) desc, s.first_day)
                as included_place,
            round(sum(s.fee) over (partition by s.plan_hk) / s.month_days)
            - sum(div(s.fee, s.month_days)) over (partition by s.plan_hk) as fee_left,
            round(sum(s.included) over (partition by s.plan_hk) / s.month_days)
            - sum(div(s.included, s.month_days)) over (partition by s.plan_hk) as included_left
        from spans as s
    )

    select
        h.plan_bk::text, r.plan_name::text, r.first_day, r.last_day, r.days,
        ((div(r.fee, r.month_days) + (r.fee_place <= r.fee_left)::integer) * 1e-10)::numeric(20, 10),
        ((div(r.included, r.month_days) + (r.included_place <= r.included_left)::integer) * 1e-10)::numeric(20, 10)
    from ranked as r
    inner join gateway.plan_h as h on r.plan_hk = h.plan_hk
    order by h.plan_bk, r.first_day;
end;

comment on function gateway.fn_list_fees(bytea, date) is
'Fees of a customer''s plans in a month: a row for days of a subscription that follow each other at one price, those of
a trial apart at no fee. Both sums are in USD to ten decimals, by the days of the month.';
