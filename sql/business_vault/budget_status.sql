-- The sums of a window that is over are those of an older day or month: they count as nothing spent, nothing held,
-- exactly as the next reservation will see it.
drop view if exists business_vault.budget_status;
create view business_vault.budget_status as
with scope as not materialized (
    select
        n.tenant_bk::text as tenant,
        c.customer_bk::text as customer,
        s.scope_kind as scope,
        t.token_bk::text as token_id,
        ts.token_name::text as token_name,
        case s.scope_kind when 'token' then ts.cost_budget_daily else cs.cost_budget_daily end as daily_limit,
        case s.scope_kind when 'token' then ts.cost_budget_monthly else cs.cost_budget_monthly end as monthly_limit,
        s.day_number,
        s.day_spent_usd,
        s.day_held_usd,
        s.month_number,
        s.month_spent_usd,
        s.month_held_usd,
        coalesce(ns.time_zone, 'UTC') as zone,
        statement_timestamp() at time zone coalesce(ns.time_zone, 'UTC') as local_time
    from ops.scope_state as s
    inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
    inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
    left join auth.tenant_s as ns on c.tenant_hk = ns.tenant_hk and ns.load_end_date is null
    left join gateway.customer_config_s as cs on s.scope_hk = cs.customer_hk and cs.load_end_date is null
    left join gateway.token_h as t on s.scope_hk = t.token_hk
    left join gateway.token_s as ts on s.scope_hk = ts.token_hk and ts.load_end_date is null
),

numbered as not materialized (
    select
        s.*,
        s.day_number = s.local_time::date - date '1970-01-01' as is_today,
        s.month_number
        = (extract(year from s.local_time) - 1970) * 12 + extract(month from s.local_time) - 1 as is_this_month
    from scope as s
),

budget as not materialized (
    select
        null::text as limit_name, null::text as provider, null::text as model, true as is_hard, d.tenant, d.customer,
        d.scope, d.token_id, d.token_name, 'daily' as period, d.daily_limit as limit_usd,
        case when d.is_today then d.day_spent_usd else 0 end as spent_usd,
        case when d.is_today then d.day_held_usd else 0 end as held_usd,
        (date_trunc('day', d.local_time) + interval '1 day') at time zone d.zone as resets_at
    from numbered as d
    union all
    select
        null, null, null, true, m.tenant, m.customer, m.scope, m.token_id, m.token_name, 'monthly', m.monthly_limit,
        case when m.is_this_month then m.month_spent_usd else 0 end,
        case when m.is_this_month then m.month_held_usd else 0 end,
        (date_trunc('month', m.local_time) + interval '1 month') at time zone m.zone
    from numbered as m
    union all
    select
        l.limit_name, l.provider, l.model, l.is_hard, l.tenant, l.customer, l.scope, l.token_id, l.token_name,
        case l.period when 'DAY' then 'daily' when 'TOTAL' then 'total' else lower(l.period) || 'ly' end,
        l.allowed, l.used, l.held, l.resets_at
    from business_vault.usage_limit_status as l
    where l.unit = 'USD'
)

select
    b.tenant,
    b.customer,
    b.scope,
    b.token_id,
    b.token_name,
    b.period,
    trim_scale(b.limit_usd) as limit_usd,
    trim_scale(b.spent_usd) as spent_usd,
    trim_scale(b.held_usd) as held_usd,
    case when b.limit_usd is not null then trim_scale(greatest(b.limit_usd - b.spent_usd - b.held_usd, 0)) end
    as remaining_usd,
    round(100 * (b.spent_usd + b.held_usd) / nullif(b.limit_usd, 0), 2) as used_percent,
    b.resets_at,
    b.limit_name,
    b.provider,
    b.model,
    b.is_hard
from budget as b;

comment on view business_vault.budget_status is
'Budgets in the window of now: what is spent, what calls under way hold, what is left. Those of customers and tokens
themselves, limits in USD of every scope, and what own keys may spend at their providers.';
comment on column business_vault.budget_status.tenant is 'Organisation of the customer.';
comment on column business_vault.budget_status.customer is 'Whose budget, or whose token''s; NULL for one of a tenant.';
comment on column business_vault.budget_status.scope is
'tenant, customer, token, or key: a customer''s own at a provider.';
comment on column business_vault.budget_status.token_id is 'Public id of the token; NULL for a customer''s budget.';
comment on column business_vault.budget_status.token_name is 'What people call the token.';
comment on column business_vault.budget_status.period is
'daily, weekly or monthly, in the tenant''s time zone, or total.';
comment on column business_vault.budget_status.limit_usd is 'The budget; NULL when there is none.';
comment on column business_vault.budget_status.spent_usd is 'Charged in this window.';
comment on column business_vault.budget_status.held_usd is 'Reserved for calls under way.';
comment on column business_vault.budget_status.remaining_usd is
'What may still be reserved; NULL when there is no budget.';
comment on column business_vault.budget_status.used_percent is 'Spent and held out of the budget.';
comment on column business_vault.budget_status.resets_at is 'When the window ends; NULL for total.';
comment on column business_vault.budget_status.limit_name is
'Name in admin.usage_limit, or of an own key; NULL for a budget of a customer or token itself.';
comment on column business_vault.budget_status.provider is 'Provider that it is about; NULL for all together.';
comment on column business_vault.budget_status.model is 'Model that it is about; NULL for all together.';
comment on column business_vault.budget_status.is_hard is
'Whether calls that would go beyond it are refused or shortened.';
