-- A limit in TOTAL counts every charge ever made. An invoice takes off unbilled what it bills of them, so what the
-- ledger says without the charges is what all of them together may come to. What corrected prices changed of them is in
-- neither.
create or replace function gateway.fn_measure_prepaid(p_customer_hk bytea) returns numeric
language plpgsql
stable
set search_path = ''
as $$
declare
    v_today date;
    v_time_zone text;
    v_open numeric;
    v_expired numeric;
begin
    select t.time_zone, (util.current_load_date() at time zone t.time_zone)::date into v_time_zone, v_today
    from gateway.customer_h as h
    inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk
    where h.customer_hk = p_customer_hk
    order by t.load_date desc
    limit 1;
    select
        coalesce(-sum(p.amount_usd) filter (
            where p.account <> 'prepaid' or s.valid_from <= v_today and s.expires_on > v_today
        ), 0),
        coalesce(-sum(p.amount_usd) filter (where p.account = 'prepaid' and s.expires_on <= v_today), 0)
    into v_open, v_expired
    from gateway.ledger_posting_s as p
    left join gateway.credit_s as s on p.credit_hk = s.credit_hk and s.load_end_date is null
    where p.customer_hk = p_customer_hk and p.account in ('prepaid', 'receivable', 'unbilled');
    select v_open - coalesce(sum(a.delta_charge), 0) into v_open
    from gateway.charge_adjustment_s as a
    where a.customer_hk = p_customer_hk;
    if v_expired > 0 then
        v_open := v_open + gateway.fn_cover_expired(p_customer_hk, v_today, v_time_zone, v_expired);
    end if;
    return v_open;
end
$$;

comment on function gateway.fn_measure_prepaid(bytea) is
'What all charges of a prepaid customer, since ever, may come to: credits that are good today, without what is owed.';
