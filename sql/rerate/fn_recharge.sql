-- The one place where a charge is made again after its cost has changed: by the terms that were pinned with the call,
-- whatever they are by now. What was held is no bound here; the caller keeps it. Terms that treat meters differently
-- cannot be told from a sum: NULL is the answer then, and what stands is left.
create or replace function gateway.fn_recharge(
    p_request gateway.api_request_s, p_old_cost numeric, p_new_cost numeric, p_is_own_key boolean default false
) returns numeric
language sql immutable
set search_path = ''
begin atomic
    select case
        when p_is_own_key then round(p_new_cost * greatest((p_request).markup_percent, 0) / 100, 10)
        when (p_request).charge_terms is null then round(p_new_cost * (1 + (p_request).markup_percent / 100), 10)
        -- Prices of the house's own, whatever the provider asks.
        when t.all_meters = t.listed_meters then (p_request).customer_cost + (p_request).house_loss
        when t.rules = 1 and t.percent is not null and not t.keeps_savings
            then greatest(round(p_new_cost * (1 + t.percent / 100), 10), round(t.minimum_usd, 10))
    end
    from (
        select
            count(*) as rules,
            max((r.rule ->> 'markup_percent')::numeric) filter (where not r.rule ? 'meter') as percent,
            coalesce(bool_or(r.rule ? 'passes_cache_savings'), false) as keeps_savings,
            max((r.rule ->> 'minimum_usd')::numeric) as minimum_usd,
            (
                select count(*) from jsonb_object_keys((p_request).charge_terms -> 'usd_per_million')
            ) as all_meters,
            (
                select count(*)
                from jsonb_object_keys((p_request).charge_terms -> 'usd_per_million') as k (meter)
                where exists (
                    select from jsonb_array_elements((p_request).charge_terms -> 'rules') as l (rule)
                    where l.rule ? 'usd_per_million' and l.rule ->> 'meter' = split_part(k.meter, '/', 1)
                )
            ) as listed_meters
        from jsonb_array_elements((p_request).charge_terms -> 'rules') as r (rule)
    ) as t;
end;

comment on function gateway.fn_recharge(gateway.api_request_s, numeric, numeric, boolean) is
'What the customer pays for a request whose charged attempt costs something else than was booked: by the markup or the
rules of prices that were pinned with it; by his own key the fee alone. NULL if the sum does not tell.';
