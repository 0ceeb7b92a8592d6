-- What a tenant's customers saved in a month; measured once, when the month is closed: each call is compared with what
-- it would have cost elsewhere. The caller names the tenant by onevault.tenant.
create or replace function gateway.fn_measure_savings(
    p_tenant text, p_month date, p_zone text, p_customer text default null
) returns jsonb
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
select coalesce(jsonb_object_agg(c.customer, trim_scale(c.saved_usd)::text), '{}')
from (
    select s.customer, sum(s.saved_usd) as saved_usd
    from business_vault.savings as s
    where
        s.tenant = p_tenant and (p_customer is null or s.customer = p_customer)
        and s.request_timestamp >= p_month::timestamp at time zone p_zone
        and s.request_timestamp < (p_month + interval '1 month') at time zone p_zone
    group by s.customer
) as c
$$;

comment on function gateway.fn_measure_savings(text, date, text, text) is
'USD that calls of a month cost less than at the model asked for or the tenant''s baseline, by customer as text; who has
nothing to compare is not in it.';
