-- What rating a month again comes to, request by request. It compares with what stands, so that what was adjusted once
-- is not adjusted again. The customer pays no more than was held for his call; the rest is the house's. Where the
-- attempt he pays for has the prices that were booked, he pays what was booked.
create or replace function gateway.fn_rerate(p_period date, p_customer_hk bytea)
returns table (
    api_request_hk bytea, customer_hk bytea, tenant_hk bytea, offer_hk bytea, old_provider_cost numeric,
    new_provider_cost numeric, old_own_key_cost numeric, new_own_key_cost numeric, old_charge numeric,
    new_charge numeric, house_loss numeric, attempt_costs jsonb, unpriced_attempts bigint
)
language sql stable rows 500000
set search_path = ''
set plan_cache_mode = force_custom_plan
set work_mem = '64MB'
as $$
with changed as (
    select
        a.api_request_hk, a.customer_hk,
        coalesce(sum(a.new_cost - a.old_cost) filter (where not a.is_own_key), 0) as cost_delta,
        coalesce(sum(a.new_cost - a.old_cost) filter (where a.is_own_key), 0) as own_key_delta,
        max(a.new_charge) filter (where a.is_charged) as new_charge,
        bool_or(a.is_repriced) filter (where a.is_charged) as is_repriced,
        jsonb_object_agg(a.attempt_number, (a.new_cost - a.old_cost)::text) filter (where a.new_cost is not null)
            as attempt_costs,
        count(*) filter (where a.new_cost is null) as unpriced_attempts
    from gateway.fn_reprice_attempts(p_period, p_customer_hk) as a
    group by a.api_request_hk, a.customer_hk
),

adjusted as materialized (
    select
        j.api_request_hk, j.customer_hk, sum(j.delta_provider_cost) as cost, sum(j.delta_charge) as charge,
        sum(j.new_own_key_cost - j.old_own_key_cost) as own_key_cost
    from gateway.charge_adjustment_s as j
    where
        j.api_request_hk >= util.fn_request_key_at((p_period - 1)::timestamp at time zone 'UTC')
        and j.api_request_hk < util.fn_request_key_at((p_period + interval '1 month 1 day') at time zone 'UTC')
    group by j.api_request_hk, j.customer_hk
),

standing as (
    select
        c.*, s.tenant_hk, s.offer_hk, s.reserved_cost, s.provider_cost + coalesce(j.cost, 0) as old_provider_cost,
        s.own_key_cost + coalesce(j.own_key_cost, 0) as old_own_key_cost,
        s.customer_cost + coalesce(j.charge, 0) as old_charge,
        case
            when c.new_charge is null then s.customer_cost + coalesce(j.charge, 0)
            when c.is_repriced then c.new_charge
            else s.customer_cost + s.house_loss
        end as full_charge
    from changed as c
    inner join gateway.api_request_s as s
        on
            c.api_request_hk = s.api_request_hk and c.customer_hk = s.customer_hk
            and s.api_request_hk >= util.fn_request_key_at((p_period - 1)::timestamp at time zone 'UTC')
            and s.api_request_hk < util.fn_request_key_at((p_period + interval '1 month 1 day') at time zone 'UTC')
    left join adjusted as j on c.api_request_hk = j.api_request_hk and c.customer_hk = j.customer_hk
)

select
    t.api_request_hk, t.customer_hk, t.tenant_hk, t.offer_hk, t.old_provider_cost, t.old_provider_cost + t.cost_delta,
    t.old_own_key_cost, t.old_own_key_cost + t.own_key_delta, t.old_charge,
    least(t.full_charge, t.reserved_cost), greatest(t.full_charge - t.reserved_cost, 0), t.attempt_costs,
    t.unpriced_attempts
from standing as t
where
    t.cost_delta <> 0 or t.own_key_delta <> 0 or t.unpriced_attempts > 0
    or least(t.full_charge, t.reserved_cost) <> t.old_charge;
$$;

comment on function gateway.fn_rerate(date, bytea) is
'What a month comes to by the prices that are known now, of one customer or of all (NULL): a row for each request that
costs something else than stands, or of which a price is missing.';
