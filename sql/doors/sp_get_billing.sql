-- The bill of a month of the tenant's calendar, from usage as it stands now; this month's comes with what the
-- customer is entitled to today and the budgets that limit it: the customer's, and those of the token
-- that asks; and with the credits that are left.
create or replace function gateway.sp_get_billing(
    p_token_digest bytea, p_period text default null, p_client_ip text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_tenant_before text := current_setting('onevault.tenant', true);
    v_principal ops.principal;
    v_refusal gateway.route_decision;
    v_current date;
    v_month date;
    v_bill jsonb;
begin
    select p.* into v_principal from ops.principal as p where p.token_digest = p_token_digest;
    v_refusal := gateway.fn_check_principal(v_principal, v_now, 'billing', p_client_ip);
    if v_refusal.status is not null then
        return gateway.fn_reply_refusal(v_refusal);
    end if;

    v_current := date_trunc('month', v_now at time zone v_principal.time_zone)::date;
    v_month := case
        when p_period is null then v_current
        when p_period ~ '^2[0-9]{3}-(0[1-9]|1[0-2])$' then (p_period || '-01')::date
    end;
    if v_month is null then
        return gateway.fn_reply_invalid('period', 'The month must be written like 2026-11.');
    elsif v_month > v_current then
        return gateway.fn_reply_invalid('period', format('%s is still to come.', p_period));
    end if;

    perform set_config('onevault.tenant', v_principal.tenant_bk, true);
    v_bill := gateway.fn_bill_usage(
        v_principal.customer_hk, v_principal.tenant_bk, v_principal.customer_bk, v_month
    ) || jsonb_build_object(
        'status', case when v_month = v_current then 'open' else coalesce((
            select lower(s.billing_status) from business_vault.customer_spending as s
            where s.customer = v_principal.customer_bk and s.billing_period = v_month
        ), 'pending') end,
        'plans', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'plan', f.plan, 'plan_name', f.plan_name, 'first_day', f.first_day, 'last_day', f.last_day,
                'days', f.days, 'fee_usd', trim_scale(f.fee_usd), 'included_usage_usd', trim_scale(f.included_usd)
            ) order by f.plan, f.first_day), '[]')
            from gateway.fn_list_fees(v_principal.customer_hk, v_month) as f
        )
    );
    if v_month = v_current then
        v_bill := v_bill || jsonb_build_object('entitlements', gateway.fn_entitled_on(
            v_principal.entitlements, (v_now at time zone v_principal.time_zone)::date
        ), 'budgets', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'scope', b.scope, 'period', b.period, 'limit_usd', b.limit_usd, 'spent_usd', b.spent_usd,
                'held_usd', b.held_usd, 'remaining_usd', b.remaining_usd,
                'resets_at', to_char(b.resets_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            ) || jsonb_strip_nulls(jsonb_build_object(
                'limit_name', b.limit_name, 'provider', b.provider, 'model', b.model, 'is_hard', nullif(b.is_hard, true)
            )) order by b.scope, b.period, b.limit_name nulls first), '[]')
            from business_vault.budget_status as b
            where
                b.customer = v_principal.customer_bk and b.limit_usd is not null
                and (b.scope = 'customer' or b.token_id = v_principal.token_bk)
        ), 'credits', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'credit', b.credit, 'kind', lower(b.credit_kind), 'granted_usd', b.granted_usd, 'used_usd', b.used_usd,
                'remaining_usd', b.remaining_usd, 'valid_from', b.valid_from,
                'expires_on', case when isfinite(b.expires_on) then b.expires_on end
            ) order by b.priority, b.expires_on, b.credit), '[]')
            from business_vault.credit_balance as b
            where b.customer = v_principal.customer_bk and b.remaining_usd > 0
        ));
    end if;
    perform set_config('onevault.tenant', coalesce(v_tenant_before, ''), true);
    return gateway.fn_reply_body(v_bill);
end
$$;

comment on function gateway.sp_get_billing(bytea, text, text) is
'A customer''s bill of a month (yyyy-mm, or the current one) by provider and model, with the fees of his plans by days;
of the current month his entitlements and budgets, too.';
