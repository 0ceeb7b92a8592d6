-- What each scope's windows should say, recomputed from vault and reservations.
drop view if exists ops.invariant_violation, ops.budget_invariant, ops.scope_fact;
create view ops.scope_fact as
with now_in_zone as (
    select s.scope_hk, s.scope_kind, s.customer_hk, n.time_zone, clock_timestamp() at time zone n.time_zone as local_now
    from ops.scope_state as s
    inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
    inner join auth.tenant_s as n on c.tenant_hk = n.tenant_hk and n.load_end_date is null
),

windows as (
    select
        z.*,
        z.local_now::date - date '1970-01-01' as day_number,
        ((extract(year from z.local_now) - 1970) * 12 + extract(month from z.local_now) - 1)::integer as month_number,
        date_trunc('day', z.local_now) at time zone z.time_zone as day_from,
        date_trunc('month', z.local_now) at time zone z.time_zone as month_from
    from now_in_zone as z
)

select
    w.scope_hk, w.scope_kind, w.customer_hk, w.day_number, w.month_number,
    coalesce(s.day_spent, 0) as day_spent, coalesce(s.month_spent, 0) as month_spent,
    coalesce(h.day_held, 0) as day_held, coalesce(h.month_held, 0) as month_held
from windows as w
left join lateral (
    select
        sum(r.customer_cost) filter (where r.request_timestamp >= w.day_from) as day_spent,
        sum(r.customer_cost) as month_spent
    from gateway.api_request_s as r
    where
        r.customer_hk = w.customer_hk
        and r.api_request_hk >= util.fn_request_key_at(w.month_from - interval '1 second')
        and r.request_timestamp >= w.month_from
        and (w.scope_kind = 'customer' or r.token_hk = w.scope_hk)
) as s on true
left join lateral (
    select
        sum(r.held_usd) filter (where r.day_number = w.day_number) as day_held,
        sum(r.held_usd) filter (where r.month_number = w.month_number) as month_held
    from ops.reservation as r
    where r.customer_hk = w.customer_hk and (w.scope_kind = 'customer' or r.token_hk = w.scope_hk)
) as h on true;

comment on view ops.scope_fact is
'Spent and held of every scope, recomputed from the vault and the open reservations.';
