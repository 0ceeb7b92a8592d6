-- Credits in order of priority, then of expiry, then of name. One covers what falls on the days that it is good for,
-- the first days first; what is due lies on the days as the charges do, and nothing is covered twice: prepaid ones are
-- asked for what promotions have left of each day (gateway.fn_take_promotions).
create or replace function gateway.fn_apply_credits(
    p_customer_hk bytea, p_kind text, p_charges jsonb, p_due_usd numeric, p_known_at timestamptz default null
) returns table (credit_hk bytea, credit text, description text, amount_usd numeric)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_days date[];
    v_open numeric[];
    v_last integer;
    v_credit record;
    v_take numeric;
begin
    select
        array_agg((c.charge ->> 'day')::date order by c.charge ->> 'day'),
        array_agg(round(
            greatest((c.charge ->> 'usd')::numeric, 0) * p_due_usd
            / nullif(c.all_usd, 0), 10
        ) order by c.charge ->> 'day')
    into v_days, v_open
    from (
        select a.charge, sum(greatest((a.charge ->> 'usd')::numeric, 0)) over () as all_usd
        from jsonb_array_elements(p_charges) as a (charge)
    ) as c;
    if p_due_usd is null or p_due_usd <= 0 or v_open[1] is null then
        return;
    end if;
    -- What rounding left over is due on the last day that has anything due.
    select max(o.number) into v_last from unnest(v_open) with ordinality as o (usd, number) where o.usd > 0;
    v_open[v_last] := v_open[v_last] + p_due_usd - (select sum(o.usd) from unnest(v_open) as o (usd));

    for v_credit in
        select
            h.credit_hk, regexp_replace(h.credit_bk, '^.*\|', '') as name, s.description::text as description, s.valid_from,
            s.expires_on, b.left_usd
        from gateway.credit_h as h
        inner join gateway.credit_s as s
            on
                h.credit_hk = s.credit_hk and s.load_date <= coalesce(p_known_at, 'infinity')
                and (s.load_end_date is null or s.load_end_date > coalesce(p_known_at, 'infinity'))
        cross join lateral (
            select -sum(p.amount_usd) as left_usd
            from gateway.ledger_posting_s as p
            where p.customer_hk = p_customer_hk and p.account = 'prepaid' and p.credit_hk = h.credit_hk
                and p.load_date <= coalesce(p_known_at, 'infinity')
        ) as b
        where h.customer_hk = p_customer_hk and s.credit_kind = p_kind and b.left_usd > 0
        order by s.priority, s.expires_on, h.credit_bk
    loop
        amount_usd := 0;
        for i in 1 .. cardinality(v_days) loop
            continue when v_days[i] < v_credit.valid_from or v_days[i] >= v_credit.expires_on or v_open[i] <= 0;
            v_take := least(v_open[i], v_credit.left_usd - amount_usd);
            v_open[i] := v_open[i] - v_take;
            amount_usd := amount_usd + v_take;
        end loop;
        if amount_usd > 0 then
            credit_hk := v_credit.credit_hk;
            credit := v_credit.name;
            description := v_credit.description;
            return next;
        end if;
    end loop;
end
$$;

comment on function gateway.fn_apply_credits(bytea, text, jsonb, numeric, timestamptz) is
'Which of a customer''s credits of a kind cover how much of what is due, of charges by day [{"day", "usd"}],
now or as it was known. Posts nothing.';
