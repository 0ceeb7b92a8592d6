-- Which of a customer's rules hold for a call decided now: by their days, and by what he has spent this month. What was
-- spent is recorded with the decision if a rule asks for it, so that it is made again alike.
create or replace function gateway.fn_measure_month(p_principal ops.principal, p_now timestamptz, p_seen jsonb)
returns numeric
language sql stable
set search_path = ''
begin atomic
    select case
        when p_seen is not null then coalesce((p_seen ->> 'month_usd')::numeric, 0)
        when (p_principal).charge_rules @? '$[*].from_month_usd' then coalesce((
            select s.month_spent_usd
            from ops.scope_state as s
            where
                s.scope_hk = (p_principal).customer_hk
                and s.month_number = util.fn_window_number(p_now at time zone (p_principal).time_zone, 'MONTH')
        ), 0)
    end;
end;

comment on function gateway.fn_measure_month(ops.principal, timestamptz, jsonb) is
'USD that a customer has been charged this month, or had been when a decision was made; NULL where no rule of his prices
asks for it.';

create or replace function gateway.fn_open_charge_rules(p_rules jsonb, p_month_usd numeric, p_now timestamptz)
returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_agg(r.rule - '{since,until}'::text[] order by r.place)
    from jsonb_array_elements(p_rules) with ordinality as r (rule, place)
    where
        coalesce((r.rule ->> 'since')::timestamptz <= p_now, true)
        and coalesce((r.rule ->> 'until')::timestamptz > p_now, true)
        and coalesce((r.rule ->> 'from_month_usd')::numeric <= coalesce(p_month_usd, 0), true);
end;

comment on function gateway.fn_open_charge_rules(jsonb, numeric, timestamptz) is
'Of a customer''s rules of prices (ops.principal.charge_rules) those that hold now, at what he has spent this month;
NULL for none.';

create or replace function gateway.fn_read_charge_rules(
    p_principal ops.principal, p_now timestamptz, p_seen jsonb, out rules jsonb, out seen jsonb
)
language plpgsql stable
set search_path = ''
as $$
declare
    v_month_usd numeric := gateway.fn_measure_month(p_principal, p_now, p_seen);
begin
    rules := gateway.fn_open_charge_rules(p_principal.charge_rules, v_month_usd, p_now);
    seen := case
        when p_seen is null and v_month_usd is not null then jsonb_build_object('month_usd', v_month_usd) else '{}'
    end;
end
$$;

comment on function gateway.fn_read_charge_rules(ops.principal, timestamptz, jsonb) is
'The rules of prices that hold for a customer''s call, NULL for none, and what was seen of his spending, if they ask.';
