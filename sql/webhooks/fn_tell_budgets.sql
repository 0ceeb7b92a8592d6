-- By the clock and not where calls are booked, from what was spent and not from what is held, so that nobody is alarmed
-- by what is given back. Each threshold once in a window; who passes two at once is told of the higher one. Rounded to
-- whole percents, since the last cents of a hard budget pay for no call. Prepaid credit begins again with each top-up.
-- The view shows the budgets of one tenant.
create or replace function ops.fn_tell_budgets() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_tenant record;
    v_budget record;
    v_told integer := 0;
begin
    delete from ops.told_budget as t where t.told_at < util.current_load_date() - interval '400 days';
    for v_tenant in
        select distinct n.tenant_hk, n.tenant_bk::text as name
        from gateway.customer_config_s as s
        inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
        inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
        where s.load_end_date is null and s.webhook_url is not null
        order by n.tenant_hk
    loop
        perform set_config('onevault.tenant', v_tenant.name, true);
        for v_budget in
            with budget as (
                select b.*, t.percent, sha256(convert_to(concat_ws(
                    '|', b.tenant, b.scope, b.customer, b.token_id, b.limit_name, b.period, b.resets_at,
                    case when b.limit_name = 'prepaid credit' then b.limit_usd end
                ), 'UTF8')) as window_digest
                from business_vault.budget_status as b
                cross join lateral (
                    select max(p.percent) as percent
                    from unnest('{50,80,100}'::integer[]) as p (percent)
                    where round(100 * b.spent_usd / b.limit_usd) >= p.percent
                ) as t
                where b.tenant = v_tenant.name and b.limit_usd > 0 and t.percent is not null
            ),

            told as (
                insert into ops.told_budget as t (window_digest, percent, told_at)
                select b.window_digest, b.percent, util.current_load_date() from budget as b
                on conflict (window_digest) do update set percent = excluded.percent, told_at = excluded.told_at
                where t.percent < excluded.percent
                returning t.window_digest
            )

            select b.*
            from budget as b
            inner join told as t on b.window_digest = t.window_digest
            order by b.window_digest
        loop
            perform gateway.fn_notify(c.customer_hk, 'budget.threshold', jsonb_strip_nulls(jsonb_build_object(
                'threshold_percent', v_budget.percent, 'scope', v_budget.scope,
                'scope_name', coalesce(v_budget.token_name, v_budget.customer, v_budget.tenant),
                'period', v_budget.period, 'limit_name', v_budget.limit_name, 'provider', v_budget.provider,
                'model', v_budget.model, 'is_hard', v_budget.is_hard, 'limit_usd', v_budget.limit_usd,
                'spent_usd', v_budget.spent_usd, 'resets_at', v_budget.resets_at
            )))
            from gateway.customer_h as c
            where c.tenant_hk = v_tenant.tenant_hk and c.customer_bk = coalesce(v_budget.customer, c.customer_bk);
            v_told := v_told + 1;
        end loop;
    end loop;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    return v_told;
end
$$;

comment on function ops.fn_tell_budgets() is
'Tells customers that 50, 80 or 100 percent of a budget are spent: their own, those of their tokens and of their tenant;
returns how many budgets there was something to tell of.';
