-- What each customer of a tenant spent in a month, by the house's own loader, which reads as the tenant.
select count(*) filter (where ops.fn_load_spending(c.customer_hk, c.customer_bk, %(month)s))
from gateway.customer_h as c
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
where
    n.tenant_bk = current_setting('onevault.tenant')
    and exists (
        select from ops.usage_hourly as u
        where
            u.customer_hk = c.customer_hk
            and u.usage_day >= %(month)s and u.usage_day < %(month)s + interval '1 month'
    )
