-- What keeps a month from being closed. A day that was not imported is no difference: ops.reconciliation says so.
create or replace function ops.fn_find_unreconciled(p_month date)
returns table (provider text, usage_day date, model text, difference_usd numeric)
language sql stable
set search_path = ''
as $$
select
    r.provider, r.usage_day, r.model, coalesce(
        sum(r.difference_usd) filter (where r.bucket = 'cost'),
        sum(r.difference_usd)
    )
from ops.reconciliation as r
where
    r.usage_day >= date_trunc('month', p_month::timestamp)::date
    and r.usage_day < (date_trunc('month', p_month::timestamp) + interval '1 month')::date and not r.is_within_tolerance
group by r.provider, r.usage_day, r.model
order by r.usage_day, r.provider, r.model;
$$;

comment on function ops.fn_find_unreconciled(date) is
'Days and models of a month (UTC) in which a provider says something else than our books, by more than is tolerated;
difference_usd is theirs less ours in money, or what the units are worth where no costs were imported; NULL where
nobody knows.';
