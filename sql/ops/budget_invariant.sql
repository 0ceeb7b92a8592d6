-- Spent is what the vault says, held is what open requests hold, and both together never pass the limit.
drop view if exists ops.budget_invariant;
create view ops.budget_invariant as
select b.scope_kind, b.scope_hk, b.customer_hk, b.finding
from (
    select
        s.scope_kind, s.scope_hk, s.customer_hk,
        case
            when s.day_spent_usd + s.day_held_usd > s.day_ceiling_usd then 'is over its daily limit'
            when s.month_spent_usd + s.month_held_usd > s.month_ceiling_usd then 'is over its monthly limit'
            when s.month_number = f.month_number and s.month_spent_usd <> f.month_spent
                then 'has spent another sum this month than the books say'
            when s.month_number = f.month_number and s.month_held_usd <> f.month_held
                then 'holds another sum this month than its open requests'
            when s.day_number = f.day_number and s.day_spent_usd <> f.day_spent
                then 'has spent another sum today than the books say'
            when s.day_number = f.day_number and s.day_held_usd <> f.day_held
                then 'holds another sum today than its open requests'
        end as finding
    from ops.scope_state as s
    inner join ops.scope_fact as f on s.scope_hk = f.scope_hk
    union all
    select
        'limit ' || l.limit_name, l.usage_limit_hk, l.customer_hk,
        case
            when l.spent + l.held > l.ceiling then 'is over what it allows'
            when l.window_number <> f.window_number then null
            when l.spent <> f.spent then 'has used another sum than the books say'
            when l.held <> f.held then 'holds another sum than its open requests'
        end
    from ops.usage_limit as l
    inner join ops.limit_fact as f on l.usage_limit_hk = f.usage_limit_hk
) as b
where b.finding is not null;

comment on view ops.budget_invariant is
'Scopes and limits whose spent, held and limit differ from vault and open requests. Must be empty;
ops.fn_rebuild_hot_state() sets sums right.';
