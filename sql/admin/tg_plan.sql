create or replace function admin.fn_clean_entitlements(p_entitlements text[]) returns text[]
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_bad text;
begin
    select u.word into v_bad from unnest(p_entitlements) as u (word) where btrim(u.word) !~* '^[a-z0-9_]{1,60}$' limit 1;
    if v_bad is not null then
        perform admin.fn_refuse_change(
            400, 'entitlement_is_a_word', format('%s is no entitlement', quote_literal(v_bad)),
            'Use words like analytics or advanced_routing, one in each element.'
        );
    end if;
    return array(select distinct lower(btrim(u.word)) from unnest(p_entitlements) as u (word) order by 1);
end
$$;

comment on function admin.fn_clean_entitlements(text[]) is 'Entitlements in lower case, sorted, each once.';

create or replace function admin.tg_plan_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('plan', new.plan);
begin
    if not util.fn_load_hub('gateway.plan_h', util.hash_key(v_name), v_name, session_user) then
        perform admin.fn_refuse_change(
            409, 'plan_is_new', format('The plan %s exists already, or did and was deleted', quote_literal(v_name)),
            'Update it, or choose another name: bills of a deleted plan keep theirs.'
        );
    end if;
    perform admin.fn_save_plan(util.hash_key(v_name), jsonb_strip_nulls(jsonb_build_object(
        'plan_name', coalesce(new.plan_name, v_name), 'monthly_fee_usd', new.monthly_fee_usd,
        'included_usage_usd', new.included_usage_usd, 'entitlements', admin.fn_clean_entitlements(new.entitlements),
        'is_active', new.is_active
    )));
    select p.* into new from admin.plan as p where p.plan = v_name;
    return new;
end
$$;

create or replace function admin.tg_plan_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{plan}', 'Change plan_name, which is the one on bills.'
    );
    perform admin.fn_save_plan(util.hash_key(old.plan), jsonb_build_object(
        'plan_name', new.plan_name, 'monthly_fee_usd', new.monthly_fee_usd,
        'included_usage_usd', new.included_usage_usd, 'entitlements', admin.fn_clean_entitlements(new.entitlements),
        'is_active', new.is_active
    ));
    select p.* into new from admin.plan as p where p.plan = old.plan;
    return new;
end
$$;

create or replace function admin.tg_plan_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customers bigint := (
        select count(*) from admin.subscription as s where s.plan = old.plan and s.valid_to > current_date
    );
begin
    if v_customers > 0 then
        perform admin.fn_refuse_change(
            409, 'plan_has_no_subscribers', format('The plan %s has %s subscriptions', quote_literal(old.plan), v_customers),
            'End them first, or set is_active = false to let nobody else subscribe.'
        );
    end if;
    perform admin.fn_end_satellite(
        'gateway.plan_s', jsonb_build_object('plan_hk', util.hash_key(old.plan)), '{"is_active": false}'
    );
    return old;
end
$$;

create trigger plan_insert instead of insert on admin.plan
for each row execute function admin.tg_plan_insert();
create trigger plan_update instead of update on admin.plan
for each row execute function admin.tg_plan_update();
create trigger plan_delete instead of delete on admin.plan
for each row execute function admin.tg_plan_delete();

comment on function admin.tg_plan_insert() is 'INSERT on admin.plan: hub and first version.';
comment on function admin.tg_plan_update() is 'UPDATE on admin.plan: a new version.';
comment on function admin.tg_plan_delete() is 'DELETE on admin.plan: the last version ends.';
