create or replace function admin.tg_subscription_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer record;
    v_plan record;
    v_subscription_hk bytea;
    v_follows bytea;
begin
    select h.customer_hk, h.tenant_hk, h.customer_bk::text as name, t.time_zone into v_customer
    from gateway.customer_h as h
    inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk and t.load_end_date is null
    where h.customer_hk = admin.fn_find_customer(new.customer);
    select h.plan_hk, h.plan_bk::text as name, s.is_active into v_plan
    from gateway.plan_h as h
    inner join gateway.plan_s as s on h.plan_hk = s.plan_hk and s.load_end_date is null
    where h.plan_hk = util.hash_key(new.plan);
    if v_plan.is_active is not true then
        perform admin.fn_refuse_change(
            404, 'plan_exists', format('There is no active plan %s', quote_literal(coalesce(new.plan, ''))),
            'Look into admin.plan, or insert it there first.'
        );
    end if;
    perform admin.fn_lock_name('subscription', v_customer.name, v_plan.name);
    v_subscription_hk := util.hash_key(v_customer.name, v_plan.name);
    new.valid_from := coalesce(new.valid_from, (util.current_load_date() at time zone v_customer.time_zone)::date);
    if exists (
        select from gateway.subscription_s as s
        where s.subscription_hk = v_subscription_hk and s.valid_from = new.valid_from and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'subscription_is_new',
            format('The customer %s has the plan %s from %s on already', quote_literal(v_customer.name),
                quote_literal(v_plan.name), new.valid_from),
            'Update it, or choose another day.'
        );
    end if;
    v_follows := util.hash_key(new.follows);
    if new.follows is not null and not exists (
        select from gateway.subscription_l as l
        inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk and s.load_end_date is null
        where l.customer_hk = v_customer.customer_hk and l.plan_hk = v_follows
    ) then
        perform admin.fn_refuse_change(
            404, 'plan_is_had',
            format('The customer %s does not have the plan %s', quote_literal(v_customer.name), quote_literal(new.follows)),
            'Look into admin.subscription.'
        );
    end if;
    perform util.fn_load_hub(
        'gateway.subscription_l', v_subscription_hk, null, session_user, jsonb_build_object(
            'customer_hk', v_customer.customer_hk, 'tenant_hk', v_customer.tenant_hk, 'plan_hk', v_plan.plan_hk
        )
    );
    perform admin.fn_save_subscription(v_subscription_hk, new.valid_from, jsonb_build_object(
        'valid_to', coalesce(new.valid_to, 'infinity'), 'trial_until', new.trial_until, 'follows_plan_hk', v_follows
    ));
    select s.* into new
    from admin.subscription as s
    where s.customer = v_customer.name and s.plan = v_plan.name and s.valid_from = new.valid_from;
    return new;
end
$$;

create or replace function admin.tg_subscription_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{customer,plan,valid_from,follows}', 'Insert another one instead, and delete this one.'
    );
    -- A trial that is not spoken of ends with its subscription.
    if new.trial_until = old.trial_until then
        new.trial_until := least(new.trial_until, new.valid_to);
    end if;
    perform admin.fn_save_subscription(util.hash_key(old.customer, old.plan), old.valid_from, jsonb_build_object(
        'valid_to', new.valid_to, 'trial_until', new.trial_until
    ));
    return new;
end
$$;

create or replace function admin.tg_subscription_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_keep_closed_days(l.tenant_hk, datemultirange(daterange(old.valid_from, old.valid_to)))
    from gateway.subscription_l as l
    where l.subscription_hk = util.hash_key(old.customer, old.plan);
    perform util.fn_close_satellite('gateway.subscription_s', jsonb_build_object(
        'subscription_hk', util.hash_key(old.customer, old.plan), 'valid_from', old.valid_from
    ));
    return old;
end
$$;

create trigger subscription_insert instead of insert on admin.subscription
for each row execute function admin.tg_subscription_insert();
create trigger subscription_update instead of update on admin.subscription
for each row execute function admin.tg_subscription_update();
create trigger subscription_delete instead of delete on admin.subscription
for each row execute function admin.tg_subscription_delete();

comment on function admin.tg_subscription_insert() is 'INSERT on admin.subscription: a customer gets a plan.';
comment on function admin.tg_subscription_update() is 'UPDATE on admin.subscription: it ends on another day.';
comment on function admin.tg_subscription_delete() is 'DELETE on admin.subscription: it is taken back.';
