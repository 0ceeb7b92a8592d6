-- A credit that has expired still pays for the days that it was good for, until their month is closed. What it will pay
-- is found as the close finds it, month by month, of what is charged in months that are open.
create or replace function gateway.fn_cover_expired(
    p_customer_hk bytea, p_today date, p_time_zone text, p_expired_usd numeric
) returns numeric
language plpgsql
stable
set search_path = ''
as $$
declare
    v_begins_at timestamptz;
    v_month record;
    v_promotions record;
    v_prepaid_usd numeric;
    v_covered_usd numeric := 0;
begin
    select
        greatest(
            min(s.valid_from), (max(m.billing_period) + interval '1 month')::date, date '1971-01-01'
        )::timestamp at time zone p_time_zone
    into v_begins_at
    from gateway.credit_h as h
    inner join gateway.credit_s as s on h.credit_hk = s.credit_hk and s.load_end_date is null
    left join gateway.month_close_s as m on h.tenant_hk = m.tenant_hk
    where h.customer_hk = p_customer_hk and s.expires_on <= p_today;

    for v_month in
        select
            jsonb_agg(jsonb_build_object('day', d.usage_day, 'usd', d.usd)) as charges, sum(d.usd) as due_usd
        from (
            select (r.request_timestamp at time zone p_time_zone)::date as usage_day, sum(r.customer_cost) as usd
            from gateway.api_request_s as r
            where
                r.customer_hk = p_customer_hk and r.request_timestamp >= v_begins_at
                and r.api_request_hk >= util.fn_request_key_at(v_begins_at - interval '1 second')
            group by (r.request_timestamp at time zone p_time_zone)::date
        ) as d
        group by date_trunc('month', d.usage_day::timestamp)
    loop
        select
            coalesce(sum(a.amount_usd), 0) as all_usd,
            coalesce(sum(a.amount_usd) filter (where s.expires_on <= p_today), 0) as expired_usd,
            coalesce(jsonb_agg(jsonb_build_object('credit', encode(a.credit_hk, 'hex'), 'usd', a.amount_usd)
                order by a.place), '[]') as taken
        into v_promotions
        from gateway.fn_apply_credits(p_customer_hk, 'PROMOTION', v_month.charges, v_month.due_usd)
            with ordinality as a (credit_hk, credit, description, amount_usd, place)
        inner join gateway.credit_s as s on a.credit_hk = s.credit_hk and s.load_end_date is null;
        select coalesce(sum(a.amount_usd) filter (where s.expires_on <= p_today), 0) into v_prepaid_usd
        from gateway.fn_apply_credits(
            p_customer_hk, 'PREPAID', gateway.fn_take_promotions(v_month.charges, v_promotions.taken),
            v_month.due_usd - v_promotions.all_usd
        ) as a
        inner join gateway.credit_s as s on a.credit_hk = s.credit_hk and s.load_end_date is null;
        v_covered_usd := v_covered_usd + v_promotions.expired_usd + v_prepaid_usd;
    end loop;
    return least(v_covered_usd, p_expired_usd);
end
$$;

comment on function gateway.fn_cover_expired(bytea, date, text, numeric) is
'What expired credits of a customer, of which so much is left, will still pay for: charges of their days in months that
are not closed.';
