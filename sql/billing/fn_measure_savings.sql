-- What a customer saved in a month; measured once, when the month is closed: each call is compared with what it would
-- have cost elsewhere. The caller names the tenant by onevault.tenant.
create or replace function gateway.fn_measure_savings(p_customer text, p_month date, p_zone text) returns numeric
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
select trim_scale(sum(s.saved_usd))
from business_vault.savings as s
where
    s.customer = p_customer and s.request_timestamp >= p_month::timestamp at time zone p_zone
    and s.request_timestamp < (p_month + interval '1 month') at time zone p_zone
$$;

comment on function gateway.fn_measure_savings(text, date, text) is
'USD that a customer''s calls of a month cost less than at the model asked for or his tenant''s baseline; NULL if
nothing can be compared.';
