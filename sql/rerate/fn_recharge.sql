-- Rules are about meters, so each meter is priced again and charged as at the booking. What was kept with the charge
-- are the rules that had a say, and as the usage is the same they are those that have one now.
create or replace function gateway.fn_recharge_meters(
    p_used gateway.priced_attempt, p_rate jsonb, p_charge_terms jsonb, p_markup_percent numeric
) returns numeric
language plpgsql immutable
set search_path = ''
as $$
declare
    v_rate jsonb := coalesce(p_rate, '{}');
    v_priced gateway.priced_attempt := p_used;
begin
    v_priced.input_usd_per_million := coalesce((v_rate ->> 'input')::numeric, 0);
    v_priced.cache_read_usd_per_million := coalesce(gateway.fn_find_price(v_rate, 'cache_read'), 0);
    v_priced.cache_write_usd_per_million := coalesce(gateway.fn_find_price(v_rate, 'cache_write'), 0);
    v_priced.output_usd_per_million := coalesce((v_rate ->> 'output')::numeric, 0);
    if p_used.other_usage is not null then
        select n.booked into v_priced.other_usage
        from (
            select jsonb_object_agg(e.key, e.value -> 'units') as units from jsonb_each(p_used.other_usage) as e
        ) as u
        cross join lateral gateway.fn_price_others(u.units, v_rate) as n;
    end if;
    return (gateway.fn_charge_attempt(
        v_priced, v_rate || jsonb_build_object('terms', p_charge_terms -> 'rules'), p_markup_percent
    )).cost;
end
$$;

comment on function gateway.fn_recharge_meters(gateway.priced_attempt, jsonb, jsonb, numeric) is
'What the customer pays for an attempt by rules of prices and another table of the provider''s prices.';

-- The one place where a charge is made again after its cost has changed: by the terms that were pinned with the call,
-- whatever they are by now. What was held is no bound here; the caller keeps it.
create or replace function gateway.fn_recharge(
    p_new_cost numeric, p_is_own_key boolean, p_markup_percent numeric, p_charge_terms jsonb,
    p_used gateway.priced_attempt, p_rate jsonb
) returns numeric
language sql immutable
return case
    when p_is_own_key then round(p_new_cost * greatest(p_markup_percent, 0) / 100, 10)
    when p_charge_terms is null then round(p_new_cost * (1 + p_markup_percent / 100), 10)
    else gateway.fn_recharge_meters(p_used, p_rate, p_charge_terms, p_markup_percent)
end;

comment on function gateway.fn_recharge(numeric, boolean, numeric, jsonb, gateway.priced_attempt, jsonb) is
'What the customer pays for a request whose charged attempt costs something else than was booked: by the markup or the
rules of prices that were pinned with it; by his own key the fee alone.';
