-- What promotions have paid of some days is not due on them any more, so prepaid credits are asked for the others. Each
-- takes from its own days, the first days first, as it was found by gateway.fn_apply_credits.
create or replace function gateway.fn_take_promotions(p_charges jsonb, p_taken jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_days date[];
    v_open numeric[];
    v_credit record;
    v_left numeric;
    v_take numeric;
begin
    select
        array_agg((c.charge ->> 'day')::date order by c.charge ->> 'day'),
        array_agg(greatest((c.charge ->> 'usd')::numeric, 0) order by c.charge ->> 'day')
    into v_days, v_open
    from jsonb_array_elements(p_charges) as c (charge);
    for v_credit in
        select s.valid_from, s.expires_on, (t.taken ->> 'usd')::numeric as usd
        from jsonb_array_elements(p_taken) with ordinality as t (taken, number)
        inner join gateway.credit_s as s
            on s.credit_hk = decode(t.taken ->> 'credit', 'hex') and s.load_end_date is null
        order by t.number
    loop
        v_left := v_credit.usd;
        for i in 1 .. coalesce(cardinality(v_days), 0) loop
            continue when v_days[i] < v_credit.valid_from or v_days[i] >= v_credit.expires_on;
            v_take := least(v_open[i], v_left);
            v_open[i] := v_open[i] - v_take;
            v_left := v_left - v_take;
        end loop;
    end loop;
    return coalesce((
        select jsonb_agg(jsonb_build_object('day', d.day, 'usd', d.usd) order by d.day)
        from unnest(v_days, v_open) as d (day, usd)
        having sum(d.usd) > 0
    ), p_charges);
end
$$;

comment on function gateway.fn_take_promotions(jsonb, jsonb) is
'Charges by day [{"day", "usd"}] without what promotions [{"credit", "usd"}] have paid of them; as they are where these
have paid all.';
