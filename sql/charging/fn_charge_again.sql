-- Of calls that are alike, so what one costs at least all cost that often.
create or replace function gateway.fn_charge_again(
    p_rules jsonb, p_month_usd numeric, p_now timestamptz, p_provider text, p_model text, p_rate jsonb,
    p_markup_percent numeric, p_requests bigint, p_usage jsonb
) returns numeric
language plpgsql immutable
set search_path = ''
as $$
declare
    v_terms jsonb := gateway.fn_find_charge_terms(
        gateway.fn_open_charge_rules(p_rules, p_month_usd, p_now), p_provider, p_model
    );
    v_rate jsonb := gateway.fn_charge_rate(v_terms, p_rate, p_markup_percent);
begin
    return greatest(
        (
            select sum(u.value::numeric * coalesce((v_rate ->> u.key)::numeric, 0)) * 0.000001
            from jsonb_each_text(p_usage) as u
        ), p_requests * (v_terms -> -1 ->> 'minimum_usd')::numeric
    );
end
$$;

comment on function gateway.fn_charge_again(
    jsonb, numeric, timestamptz, text, text, jsonb, numeric, bigint, jsonb
) is 'What calls that are alike would cost their customer by his rules of prices, from all that they used together.';

-- Spendings of a month that no rule tells apart are one.
create or replace function gateway.fn_reach_tier(p_rules jsonb, p_month_usd numeric) returns numeric
language sql immutable
set search_path = ''
begin atomic
    select max((r.rule ->> 'from_month_usd')::numeric)
    from jsonb_array_elements(p_rules) as r (rule)
    where (r.rule ->> 'from_month_usd')::numeric <= p_month_usd;
end;

comment on function gateway.fn_reach_tier(jsonb, numeric) is
'The highest from_month_usd of these rules that a month''s spending has reached; NULL for none.';
