-- Going up happens at once, going down when the month is over; either way a day is of one plan only.
create or replace function admin.change_plan(p_customer text, p_from text, p_to text, p_when text default 'NOW')
returns table (plan text, valid_from date, valid_to date, trial_until date)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := admin.fn_find_customer(p_customer);
    v_when text := upper(btrim(p_when));
    v_customer text;
    v_plan record;
    v_today date;
    v_day date;
begin
    select h.customer_bk, (util.current_load_date() at time zone t.time_zone)::date into v_customer, v_today
    from gateway.customer_h as h
    inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk and t.load_end_date is null
    where h.customer_hk = v_customer_hk;
    v_day := case v_when
        when 'NOW' then v_today when 'PERIOD_END' then (date_trunc('month', v_today) + interval '1 month')::date
    end;
    if v_day is null then
        perform admin.fn_refuse_change(
            400, 'when_is_known', format('%s is no time to change a plan', quote_literal(coalesce(p_when, ''))),
            'Use NOW, or PERIOD_END for the first day of next month.'
        );
    end if;
    if util.hash_key(p_from) = util.hash_key(p_to) then
        perform admin.fn_refuse_change(
            400, 'plans_differ', format('This changes the plan %s to itself', quote_literal(p_from)),
            'Name another plan, or NULL to cancel.'
        );
    end if;
    perform admin.fn_lock_name('subscription', v_customer, p_from);
    select p.plan_bk::text as name, l.plan_hk, s.valid_from, s.valid_to into v_plan
    from gateway.subscription_l as l
    inner join gateway.plan_h as p on l.plan_hk = p.plan_hk
    inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk and s.load_end_date is null
    where
        l.customer_hk = v_customer_hk and l.plan_hk = util.hash_key(p_from)
        and s.valid_from <= v_today and s.valid_to > v_today;
    if not found then
        perform admin.fn_refuse_change(
            404, 'plan_is_had',
            format('The customer %s does not have the plan %s today', quote_literal(v_customer),
                quote_literal(coalesce(p_from, ''))),
            'Look into admin.subscription: insert there what he is to have, delete what is still to come.'
        );
    elsif v_plan.valid_to < v_day or v_plan.valid_to = v_day and p_to is null then
        perform admin.fn_refuse_change(
            409, 'plan_is_had_until_then',
            format('The plan %s of %s ends on %s already', quote_literal(v_plan.name), quote_literal(v_customer),
                v_plan.valid_to),
            case when p_to is null then 'There is nothing to cancel.' else 'Change it NOW, or set its valid_to first.' end
        );
    end if;
    perform admin.fn_end_subscriptions(v_customer_hk, v_plan.plan_hk, v_day);
    if p_to is not null then
        insert into admin.subscription (customer, plan, valid_from, follows)
        values (v_customer, p_to, v_day, case when v_day > v_today then v_plan.name end);
    end if;
    return query
    select s.plan, s.valid_from, s.valid_to, s.trial_until
    from admin.subscription as s
    where
        s.customer = v_customer and s.valid_to >= v_today
        and util.hash_key(s.plan) in (util.hash_key(p_from), util.hash_key(p_to))
    order by s.valid_from, s.plan;
end
$$;

comment on function admin.change_plan(text, text, text, text) is
'Takes a customer from a plan to another, or to none (NULL): NOW, when the old one ends and the new one begins today, or
at PERIOD_END, the first day of next month. A trial ends with its plan; what was to begin of the old one later is
taken back, and so is what was planned to follow it later than it ends now. Gives what he has of both from then on.';
