-- Brings ops.usage_limit to what the vault says for some limits, and the principals to which limits they fall under. A
-- limit that begins, or whose subject or window changes, begins with what the books say of its window.
create or replace function ops.fn_refresh_limits(p_limit_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_was jsonb;
    v_recounted bytea[];
    v_customers bytea[];
begin
    perform gateway.fn_lock_limits(p_limit_hks);
    select jsonb_object_agg(l.usage_limit_hk, array[
        l.customer_hk::text, l.token_hk::text, l.provider_hk::text, l.model_bk, l.unit, l.period
    ]) into v_was
    from ops.usage_limit as l where l.usage_limit_hk = any(p_limit_hks);
    select array_agg(distinct c.customer_hk) into v_customers
    from (
        select h.customer_hk
        from ops.usage_limit as l
        inner join gateway.customer_h as h on l.tenant_hk = h.tenant_hk and h.customer_hk = coalesce(l.customer_hk, h.customer_hk)
        where l.usage_limit_hk = any(p_limit_hks)
        union all
        select h.customer_hk
        from ops.current_limit as l
        inner join gateway.customer_h as h on l.tenant_hk = h.tenant_hk and h.customer_hk = coalesce(l.customer_hk, h.customer_hk)
        where l.usage_limit_hk = any(p_limit_hks)
    ) as c;

    delete from ops.usage_limit as l
    where
        l.usage_limit_hk = any(p_limit_hks)
        and not exists (select from ops.current_limit as c where c.usage_limit_hk = l.usage_limit_hk);
    insert into ops.usage_limit as l (
        usage_limit_hk, limit_name, tenant_hk, customer_hk, token_hk, provider_hk, provider_bk, model_bk, unit, period,
        amount, is_hard, raised_amount, raised_until, provider_key_hk
    )
    select c.* from ops.current_limit as c where c.usage_limit_hk = any(p_limit_hks) order by c.usage_limit_hk
    on conflict (usage_limit_hk) do update set
        customer_hk = excluded.customer_hk, token_hk = excluded.token_hk, provider_hk = excluded.provider_hk,
        provider_bk = excluded.provider_bk, model_bk = excluded.model_bk, unit = excluded.unit,
        period = excluded.period, amount = excluded.amount, is_hard = excluded.is_hard,
        raised_amount = excluded.raised_amount, raised_until = excluded.raised_until;
    v_recounted := array(
        select l.usage_limit_hk from ops.usage_limit as l
        where
            l.usage_limit_hk = any(p_limit_hks)
            and v_was -> l.usage_limit_hk::text is distinct from to_jsonb(array[
                l.customer_hk::text, l.token_hk::text, l.provider_hk::text, l.model_bk, l.unit, l.period
            ])
    );
    perform ops.fn_recount_limits(v_recounted);
    perform ops.fn_refresh_principals(v_customers);
end
$$;

comment on function ops.fn_refresh_limits(bytea[]) is
'Brings ops.usage_limit and the principals to what the vault says for these limits.';

create or replace function ops.fn_recount_limits(p_limit_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform gateway.fn_lock_limits(p_limit_hks);
    update ops.usage_limit as l set
        spent = f.spent, held = f.held, window_number = f.window_number, ceiling = null
    from ops.limit_fact as f
    where l.usage_limit_hk = f.usage_limit_hk and (p_limit_hks is null or f.usage_limit_hk = any(p_limit_hks));
end
$$;

comment on function ops.fn_recount_limits(bytea[]) is
'Sets what is used of these limits, or of all when NULL, to what vault and reservations say.';
