-- The sums of a window that is over count as nothing, exactly as the next call will see it.
drop view if exists business_vault.usage_limit_status cascade;
create view business_vault.usage_limit_status as
with limits as not materialized (
    select
        l.*,
        n.tenant_bk::text as tenant,
        c.customer_bk::text as customer,
        t.token_bk::text as token_id,
        ts.token_name::text as token_name,
        ns.time_zone,
        util.fn_window_number(statement_timestamp() at time zone ns.time_zone, l.period) as current_window,
        case when l.raised_until > statement_timestamp() then l.raised_amount else l.amount end as allowed
    from ops.usage_limit as l
    inner join auth.tenant_h as n on l.tenant_hk = n.tenant_hk
    inner join auth.tenant_s as ns on l.tenant_hk = ns.tenant_hk and ns.load_end_date is null
    left join gateway.customer_h as c on l.customer_hk = c.customer_hk
    left join gateway.token_h as t on l.token_hk = t.token_hk
    left join gateway.token_s as ts on l.token_hk = ts.token_hk and ts.load_end_date is null
),

used as not materialized (
    select
        l.*,
        case
            when l.period = 'MINUTE' then round(l.allowed * greatest(
                l.full_at_us - extract(epoch from statement_timestamp()) * 1000000, 0
            ) / 60000000, 2)
            when l.window_number = l.current_window then l.spent
            else 0
        end as used,
        case when l.window_number = l.current_window then l.held else 0 end as held_now
    from limits as l
)

select
    u.limit_name,
    u.tenant,
    case
        when u.provider_key_hk is not null then 'key'
        when u.token_hk is not null then 'token'
        when u.customer_hk is not null then 'customer'
        else 'tenant'
    end as scope,
    u.customer,
    u.token_id,
    u.token_name,
    u.provider_bk as provider,
    u.model_bk as model,
    u.unit,
    u.period,
    trim_scale(u.allowed) as allowed,
    u.is_hard,
    trim_scale(u.used) as used,
    trim_scale(u.held_now) as held,
    trim_scale(greatest(u.allowed - u.used - u.held_now, 0)) as remaining,
    round(100 * (u.used + u.held_now) / nullif(greatest(u.allowed, 0), 0), 2) as used_percent,
    util.fn_window_begin(u.current_window + 1, u.period, u.time_zone) as resets_at
from used as u;

comment on view business_vault.usage_limit_status is
'Limits of admin.usage_limit, spending limits of own keys and what prepaid customers have paid ahead, in the window of
now: what is used, what calls under way hold, what is left.';
comment on column business_vault.usage_limit_status.limit_name is
'Name of the limit; of a key its provider, "key" and its name; "prepaid credit" of a prepaid customer.';
comment on column business_vault.usage_limit_status.tenant is 'Organisation.';
comment on column business_vault.usage_limit_status.scope is
'tenant, customer, token, or key: a customer''s own at a provider.';
comment on column business_vault.usage_limit_status.customer is 'Customer; NULL for a limit of the whole tenant.';
comment on column business_vault.usage_limit_status.token_id is 'Public id of the token; NULL unless it is one''s.';
comment on column business_vault.usage_limit_status.token_name is 'What people call the token.';
comment on column business_vault.usage_limit_status.provider is 'Provider that it is about; NULL for all together.';
comment on column business_vault.usage_limit_status.model is 'Model that it is about; NULL for all together.';
comment on column business_vault.usage_limit_status.unit is 'USD, TOKENS, REQUESTS or PARALLEL.';
comment on column business_vault.usage_limit_status.period is
'MINUTE, DAY, WEEK, MONTH or TOTAL; NULL for calls under way at once.';
comment on column business_vault.usage_limit_status.allowed is 'How much of the unit is allowed now, raises included.';
comment on column business_vault.usage_limit_status.is_hard is 'Whether calls that would go beyond are refused.';
comment on column business_vault.usage_limit_status.used is
'Used in this window, in the unit; of a minute what its bucket has not yet let go.';
comment on column business_vault.usage_limit_status.held is 'Held by calls under way, in the unit.';
comment on column business_vault.usage_limit_status.remaining is 'What is left, in the unit.';
comment on column business_vault.usage_limit_status.used_percent is 'Used and held out of what is allowed.';
comment on column business_vault.usage_limit_status.resets_at is 'When the window ends; NULL where there is none.';
