-- What tokens would cost at a baseline's prices, in USD per million, rounded as a charge is. One expression, which
-- takes its place in a query: business_vault.savings reckons it for every request that it reads.
create or replace function gateway.fn_cost_baseline(
    p_input bigint, p_cache_read bigint, p_cache_write bigint, p_output bigint, p_others numeric,
    p_input_usd numeric, p_cache_read_usd numeric, p_cache_write_usd numeric, p_output_usd numeric,
    p_markup_percent numeric
) returns numeric
language sql immutable parallel safe
return round(round((
    coalesce(p_input, 0) * p_input_usd + case when p_cache_read > 0 then p_cache_read * p_cache_read_usd else 0 end
    + case when p_cache_write > 0 then p_cache_write * p_cache_write_usd else 0 end
    + coalesce(p_output, 0) * p_output_usd + coalesce(p_others, 0)
) / 1000000, 10) * (1 + p_markup_percent / 100), 10);

comment on function gateway.fn_cost_baseline(
    bigint, bigint, bigint, bigint, numeric, numeric, numeric, numeric, numeric, numeric
) is
'What a customer would have paid for tokens at a baseline''s prices, with his markup; NULL where a price is unknown.';
