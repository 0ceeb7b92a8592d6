create or replace function gateway.fn_cost_units(p_units bigint, p_usd numeric, p_usd_before numeric) returns numeric
language sql immutable parallel safe
return case
    when coalesce(p_units, 0) = 0 then 0
    else p_units * coalesce(p_usd, case when p_usd_before = 0 then 0 end)
end;

comment on function gateway.fn_cost_units(bigint, numeric, numeric) is
'Units times their price, in millionths of USD: NULL for what has no price and had one.';

create or replace function gateway.fn_cost_others(p_other_usage jsonb, p_rate jsonb, p_had_unpriced boolean)
returns numeric
language sql immutable
set search_path = ''
begin atomic
    select case when p_had_unpriced or not n.has_unpriced then n.cost end
    from (
        select jsonb_object_agg(e.key, e.value -> 'units') as units
        from jsonb_each(p_other_usage) as e
    ) as u
    cross join lateral gateway.fn_price_others(u.units, coalesce(p_rate, '{}')) as n;
end;

comment on function gateway.fn_cost_others(jsonb, jsonb, boolean) is
'What the other_usage of an attempt costs by a table of prices, in millionths of USD: NULL when some of it has no price,
and all of it had one.';

create or replace function gateway.fn_count_other_input(p_other_usage jsonb) returns bigint
language sql immutable
set search_path = ''
begin atomic
    select coalesce(sum((e.value ->> 'units')::numeric), 0)::bigint
    from jsonb_each(p_other_usage) as e
    where e.key in ('cache_write_1h', 'input_audio', 'cache_read_audio', 'input_image');
end;

comment on function gateway.fn_count_other_input(jsonb) is 'Tokens of input among the other_usage of an attempt.';
