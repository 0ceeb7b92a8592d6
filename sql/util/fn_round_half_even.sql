-- PostgreSQL rounds halves away from zero, which over many lines favours the seller.
create or replace function util.fn_round_half_even(p_amount numeric, p_decimals integer) returns numeric
language sql immutable parallel safe
return case
    when abs(p_amount * 10 ^ p_decimals::numeric - trunc(p_amount * 10 ^ p_decimals::numeric)) = 0.5
        then round(2 * round(p_amount * 10 ^ p_decimals::numeric / 2) / 10 ^ p_decimals::numeric, p_decimals)
    else round(p_amount, p_decimals)
end;

comment on function util.fn_round_half_even(numeric, integer) is
'An amount rounded to so many decimals, halves to the even digit.';
