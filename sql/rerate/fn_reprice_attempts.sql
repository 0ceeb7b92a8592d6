-- Attempts of a month at the prices that were valid when their request began, as these are known now: those that cost
-- something else than what stands (booked, and adjusted so far), and those that may be charged otherwise though they
-- cost the same, since rules treat meters differently. Usage stays as it was booked. What was free because nothing of
-- it had a price stays free without one; else a price that is missing leaves what stands, and is told.
create or replace function gateway.fn_reprice_attempts(p_period date, p_customer_hk bytea)
returns table (
    api_request_hk bytea, customer_hk bytea, attempt_number smallint, is_charged boolean, is_own_key boolean,
    is_repriced boolean, old_cost numeric, new_cost numeric, new_charge numeric
)
language sql stable rows 500000
set search_path = ''
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
as $$
with rates as materialized (
    select
        r.*, coalesce(r.service_tier, '') as served, (r.rate ->> 'input')::numeric as input,
        gateway.fn_find_price(r.rate, 'cache_read') as cache_read,
        gateway.fn_find_price(r.rate, 'cache_write') as cache_write, (r.rate ->> 'output')::numeric as output
    from gateway.fn_list_month_rates(p_period) as r
),

adjusted as materialized (
    select j.api_request_hk, j.customer_hk, e.key::smallint as attempt_number, sum(e.value::numeric) as delta
    from gateway.charge_adjustment_s as j
    cross join lateral jsonb_each_text(j.attempt_costs) as e
    where
        j.api_request_hk >= util.fn_request_key_at((p_period - 1)::timestamp at time zone 'UTC')
        and j.api_request_hk < util.fn_request_key_at((p_period + interval '1 month 1 day') at time zone 'UTC')
    group by j.api_request_hk, j.customer_hk, e.key
),

booked as (
    select
        a.*, s.request_timestamp, s.charge_terms, s.markup_percent, a.provider_cost + a.own_key_cost as booked_cost,
        coalesce(a.service_tier, '') as served,
        gateway.fn_name_tier(s.decision -> 'asked' ->> 'service_tier') as asked, greatest(
            coalesce(a.input_uncached_tokens, 0) + coalesce(a.cache_read_tokens, 0)
            + coalesce(a.cache_write_tokens, 0)
            + case when a.other_usage is null then 0 else gateway.fn_count_other_input(a.other_usage) end, 1
        ) as input_tokens
    from gateway.api_request_s as s
    inner join gateway.api_request_attempt_s as a
        on s.api_request_hk = a.api_request_hk and s.customer_hk = a.customer_hk
    left join auth.tenant_s as t on s.tenant_hk = t.tenant_hk and t.load_end_date is null
    where
        s.api_request_hk >= util.fn_request_key_at((p_period - 1)::timestamp at time zone 'UTC')
        and s.api_request_hk < util.fn_request_key_at((p_period + interval '1 month 1 day') at time zone 'UTC')
        and a.api_request_hk >= util.fn_request_key_at((p_period - 1)::timestamp at time zone 'UTC')
        and a.api_request_hk < util.fn_request_key_at((p_period + interval '1 month 1 day') at time zone 'UTC')
        and (p_customer_hk is null or s.customer_hk = p_customer_hk)
        and s.request_timestamp >= p_period::timestamp at time zone coalesce(t.time_zone, 'UTC')
        and s.request_timestamp < (p_period + interval '1 month') at time zone coalesce(t.time_zone, 'UTC')
),

priced as (
    select
        b.*, r.rate, (
            b.other_usage is not null or coalesce(r.input, 0) <> b.input_usd_per_million
            or coalesce(r.cache_read, 0) <> b.cache_read_usd_per_million
            or coalesce(r.cache_write, 0) <> b.cache_write_usd_per_million
            or coalesce(r.output, 0) <> b.output_usd_per_million
        ) as has_other_prices, round((
            gateway.fn_cost_units(b.input_uncached_tokens, r.input, b.input_usd_per_million)
            + gateway.fn_cost_units(b.cache_read_tokens, r.cache_read, b.cache_read_usd_per_million)
            + gateway.fn_cost_units(b.cache_write_tokens, r.cache_write, b.cache_write_usd_per_million)
            + gateway.fn_cost_units(b.output_tokens, r.output, b.output_usd_per_million)
            + case
                when b.other_usage is null then 0
                else gateway.fn_cost_others(b.other_usage, r.rate, b.has_unpriced_usage)
            end
        ) / 1000000, 10) as new_cost
    from booked as b
    left join rates as r
        on
            b.offer_hk = r.offer_hk and b.served = r.served
            and r.asked_tier = case when b.asked = any(r.asked_tiers) then b.asked else 'standard' end
            and b.request_timestamp >= r.valid_from and b.request_timestamp < r.valid_to
            and b.input_tokens > r.above_tokens and b.input_tokens <= r.up_to_tokens
)

select
    p.api_request_hk, p.customer_hk, p.attempt_number, p.is_charged, p.is_own_key,
    case when p.charge_terms is null then p.new_cost <> p.booked_cost else p.has_other_prices end,
    p.booked_cost + coalesce(j.delta, 0), p.new_cost, case
        when p.is_charged and p.new_cost is not null then gateway.fn_recharge(
            p.new_cost, p.is_own_key, p.markup_percent, p.charge_terms, row(
                p.input_uncached_tokens, p.cache_read_tokens, p.cache_write_tokens, p.output_tokens, null, null, null,
                null, null, null, p.new_cost, false, 0, p.other_usage, null, null, null, null, null
            )::gateway.priced_attempt, p.rate
        )
    end
from priced as p
left join adjusted as j
    on
        p.api_request_hk = j.api_request_hk and p.customer_hk = j.customer_hk and p.attempt_number = j.attempt_number
where
    p.new_cost is distinct from p.booked_cost + coalesce(j.delta, 0)
    or p.is_charged and p.charge_terms is not null and (p.has_other_prices or j.delta is not null);
$$;

comment on function gateway.fn_reprice_attempts(date, bytea) is
'Attempts of a month, of one customer or of all (NULL), that cost something else by the prices known now than what
stands, or may be charged otherwise; new_cost and new_charge are NULL where a price is missing.';
