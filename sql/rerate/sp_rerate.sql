-- After a price was corrected. Nothing booked is changed: what differs becomes adjustments, which the next invoice
-- takes up. One run at a time, so that each sees what the one before it has adjusted.
create or replace function gateway.sp_rerate(
    p_period date, p_reason text, p_customer text default null, p_apply boolean default false
)
returns table (
    tenant text, customer text, provider text, model text, requests bigint, unpriced_requests bigint,
    old_provider_cost_usd numeric, new_provider_cost_usd numeric, delta_provider_cost_usd numeric,
    old_charge_usd numeric, new_charge_usd numeric, delta_charge_usd numeric, house_loss_usd numeric
)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_period date := date_trunc('month', p_period::timestamp)::date;
    v_customer_hk bytea;
    v_run_id uuid := uuidv7();
begin
    if p_period is null or not isfinite(p_period) then
        perform admin.fn_refuse_change(400, 'period_is_a_month', 'A month is to be named', 'Use a day of it: 2026-11-01');
    end if;
    if coalesce(btrim(p_reason), '') = '' then
        perform admin.fn_refuse_change(
            400, 'reason_is_given', 'Rating again needs a reason', 'Say which price was corrected: customers may ask.'
        );
    end if;
    if p_customer is not null then
        select h.customer_hk into v_customer_hk
        from gateway.customer_h as h where h.customer_hk = util.hash_key(p_customer);
        if not found then
            perform admin.fn_refuse_change(
                404, 'customer_exists', format('There is no customer %s', quote_literal(p_customer)), 'Look into admin.customer.'
            );
        end if;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('gateway.sp_rerate', 0));
    return query
    with found as materialized (
        select r.* from gateway.fn_rerate(v_period, v_customer_hk) as r
    ),

    written as (
        insert into gateway.charge_adjustment_s (
            customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost,
            delta_provider_cost, old_own_key_cost, new_own_key_cost, old_charge, new_charge, delta_charge, house_loss,
            attempt_costs, reason, rerate_run_id, record_source
        )
        select
            f.customer_hk, f.tenant_hk, f.api_request_hk, v_period, f.old_provider_cost, f.new_provider_cost,
            f.new_provider_cost - f.old_provider_cost, f.old_own_key_cost, f.new_own_key_cost, f.old_charge,
            f.new_charge, f.new_charge - f.old_charge, f.house_loss, f.attempt_costs, left(btrim(p_reason), 500),
            v_run_id, session_user
        from found as f
        where p_apply and f.attempt_costs is not null and (
            f.new_provider_cost <> f.old_provider_cost or f.new_charge <> f.old_charge
            or f.new_own_key_cost <> f.old_own_key_cost
        )
    )

    select
        n.tenant_bk::text, c.customer_bk::text, p.provider_bk::text, m.model_bk::text,
        count(*) filter (where f.attempt_costs is not null), count(*) filter (where f.unpriced_attempts > 0),
        trim_scale(sum(f.old_provider_cost)), trim_scale(sum(f.new_provider_cost)),
        trim_scale(sum(f.new_provider_cost - f.old_provider_cost)), trim_scale(sum(f.old_charge)),
        trim_scale(sum(f.new_charge)), trim_scale(sum(f.new_charge - f.old_charge)), trim_scale(sum(f.house_loss))
    from found as f
    inner join gateway.customer_h as c on f.customer_hk = c.customer_hk
    inner join auth.tenant_h as n on f.tenant_hk = n.tenant_hk
    inner join gateway.offer_l as l on f.offer_hk = l.offer_hk
    inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
    inner join gateway.model_h as m on l.model_hk = m.model_hk
    group by n.tenant_bk, c.customer_bk, p.provider_bk, m.model_bk
    order by n.tenant_bk, c.customer_bk, p.provider_bk, m.model_bk;
end
$$;

comment on function gateway.sp_rerate(date, text, text, boolean) is
'Rates the requests of a month (of its tenants'' time zones) again by the prices that are known now: sums by customer
and model of what differs from what stands. With p_apply it is written, as adjustments; without, it is only shown.';
