-- What changes is compared by days: those that were had or charged and are not any more, or the other way round.
create or replace function admin.fn_save_subscription(p_subscription_hk bytea, p_valid_from date, p_row jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_name record;
    v_old record;
    v_other record;
    v_valid_to date := p_row ->> 'valid_to';
    v_trial_until date := p_row ->> 'trial_until';
begin
    select l.tenant_hk, c.customer_bk as customer, p.plan_bk as plan into v_name
    from gateway.subscription_l as l
    inner join gateway.customer_h as c on l.customer_hk = c.customer_hk
    inner join gateway.plan_h as p on l.plan_hk = p.plan_hk
    where l.subscription_hk = p_subscription_hk;
    perform admin.fn_lock_name('subscription', v_name.customer, v_name.plan);
    select s.valid_from, s.valid_to into v_other
    from gateway.subscription_s as s
    where
        s.subscription_hk = p_subscription_hk and s.load_end_date is null and s.valid_from <> p_valid_from
        and s.valid_from < v_valid_to and s.valid_to > p_valid_from
    limit 1;
    if found then
        perform admin.fn_refuse_change(
            409, 'subscriptions_do_not_overlap',
            format('The customer %s has the plan %s from %s to %s already', quote_literal(v_name.customer),
                quote_literal(v_name.plan), v_other.valid_from, v_other.valid_to),
            'Change that one, or choose days outside of it.'
        );
    end if;
    if v_trial_until <= p_valid_from or v_trial_until > v_valid_to then
        perform admin.fn_refuse_change(
            400, 'trial_is_within_its_subscription',
            format('A trial until %s does not lie within %s and %s', v_trial_until, p_valid_from, v_valid_to),
            'Use a day after valid_from and up to valid_to: the first one that costs. NULL is no trial.'
        );
    end if;
    if v_valid_to > p_valid_from then
        select
            coalesce(range_agg(daterange(s.valid_from, s.valid_to)), '{}') as had,
            coalesce(range_agg(daterange(coalesce(s.trial_until, s.valid_from), s.valid_to)), '{}') as charged,
            datemultirange(daterange(p_valid_from, v_valid_to)) as has,
            datemultirange(daterange(coalesce(v_trial_until, p_valid_from), v_valid_to)) as charges
        into v_old
        from gateway.subscription_s as s
        where s.subscription_hk = p_subscription_hk and s.valid_from = p_valid_from and s.load_end_date is null;
        perform admin.fn_keep_closed_days(
            v_name.tenant_hk,
            (v_old.had + v_old.has - v_old.had * v_old.has)
            + (v_old.charged + v_old.charges - v_old.charged * v_old.charges)
        );
    end if;
    return admin.fn_save_satellite(
        'gateway.subscription_s', jsonb_build_object('subscription_hk', p_subscription_hk, 'valid_from', p_valid_from), p_row
    );
end
$$;

comment on function admin.fn_save_subscription(bytea, date, jsonb) is
'Loads the days of a subscription; refuses days that a customer has paid for already, and changes of invoiced ones.';

create or replace function admin.fn_end_subscriptions(p_customer_hk bytea, p_plan_hk bytea, p_day date) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_found record;
    v_ended integer := 0;
begin
    for v_found in
        select l.subscription_hk, l.tenant_hk, s.valid_from, s.valid_to, s.trial_until
        from gateway.subscription_l as l
        inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk and s.load_end_date is null
        where
            l.customer_hk = p_customer_hk and s.valid_to > p_day
            and (p_plan_hk is null or l.plan_hk = p_plan_hk or s.follows_plan_hk = p_plan_hk and s.valid_from > p_day)
        order by l.subscription_hk, s.valid_from
    loop
        v_ended := v_ended + 1;
        if v_found.valid_from < p_day then
            perform admin.fn_save_subscription(v_found.subscription_hk, v_found.valid_from, jsonb_build_object(
                'valid_to', p_day,
                'trial_until', case when v_found.trial_until > p_day then p_day else v_found.trial_until end
            ));
        else
            -- It would have no day.
            perform admin.fn_keep_closed_days(
                v_found.tenant_hk, datemultirange(daterange(v_found.valid_from, v_found.valid_to))
            );
            perform util.fn_close_satellite('gateway.subscription_s', jsonb_build_object(
                'subscription_hk', v_found.subscription_hk, 'valid_from', v_found.valid_from
            ));
        end if;
    end loop;
    return v_ended;
end
$$;

comment on function admin.fn_end_subscriptions(bytea, bytea, date) is
'Ends what a customer has of a plan, or of all, on a day, the first without; gives how many. What begins then or later
is taken back, and so is what was to follow that plan later.';
