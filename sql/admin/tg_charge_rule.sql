-- A rule of prices as its satellite holds it; refuses unknown names, what contradicts itself, and a second rule that
-- would leave open which of the two counts.
create or replace function admin.fn_save_charge_rule(p_rule jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_rule admin.charge_rule := jsonb_populate_record(null::admin.charge_rule, p_rule);
    v_rule_hk bytea := util.hash_key(v_rule.charge_rule);
    v_tenant_hk bytea := case when v_rule.tenant is not null then admin.fn_find_tenant(v_rule.tenant) end;
    v_about jsonb;
    v_tenant text;
    v_other text;
begin
    if v_rule.customer is not null then
        select n.tenant_hk, n.tenant_bk into v_tenant_hk, v_tenant
        from gateway.customer_h as h
        inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
        where h.customer_hk = admin.fn_find_customer(v_rule.customer);
        if v_tenant_hk <> util.hash_key(v_rule.tenant) then
            perform admin.fn_refuse_change(
                400, 'customer_is_the_tenants',
                format('The customer %s is of the tenant %s', quote_literal(v_rule.customer), quote_literal(v_tenant)),
                'Leave tenant out: it follows from the customer.'
            );
        end if;
    end if;
    if v_rule.plan is not null then
        perform from gateway.plan_s as s where s.plan_hk = util.hash_key(v_rule.plan) and s.load_end_date is null;
        if not found then
            perform admin.fn_refuse_change(
                404, 'plan_exists', format('There is no plan %s', quote_literal(v_rule.plan)),
                'Look into admin.plan, or insert it there first.'
            );
        end if;
    end if;
    v_about := jsonb_build_object(
        'tenant_hk', v_tenant_hk, 'customer_hk', util.hash_key(v_rule.customer), 'plan_hk', util.hash_key(v_rule.plan),
        'provider_hk', case when v_rule.provider is not null then admin.fn_find_provider(v_rule.provider) end,
        'model_hk', admin.fn_find_model(v_rule.provider, v_rule.model), 'meter', lower(btrim(v_rule.meter)),
        'markup_percent', v_rule.markup_percent, 'usd_per_million', v_rule.usd_per_million,
        'from_month_usd', coalesce(v_rule.from_month_usd, 0), 'minimum_usd', v_rule.minimum_usd,
        'passes_cache_savings', coalesce(v_rule.passes_cache_savings, true),
        'valid_from', coalesce(v_rule.valid_from, '-infinity'), 'valid_to', coalesce(v_rule.valid_to, 'infinity'),
        'is_active', coalesce(v_rule.is_active, true)
    );
    perform admin.fn_lock_name('charge_rule');
    select h.charge_rule_bk into v_other
    from gateway.charge_rule_s as s
    inner join gateway.charge_rule_h as h on s.charge_rule_hk = h.charge_rule_hk
    where
        s.load_end_date is null and s.charge_rule_hk <> v_rule_hk and s.is_active and coalesce(v_rule.is_active, true)
        and to_jsonb(s)
        @> (v_about - '{markup_percent,usd_per_million,minimum_usd,passes_cache_savings,valid_to}'::text[]);
    if found then
        perform admin.fn_refuse_change(
            409, 'charge_rules_in_force_differ', format('The rule %s is about the same', quote_literal(v_other)),
            'Change that one, or give another from_month_usd or valid_from: a later one lies over an earlier one.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.charge_rule_s', jsonb_build_object('charge_rule_hk', v_rule_hk), v_about
    );
end
$$;

comment on function admin.fn_save_charge_rule(jsonb) is
'Loads a rule of prices; refuses one that cannot be meant.';

create or replace function admin.tg_charge_rule_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    new.charge_rule := admin.fn_check_name('charge rule', new.charge_rule);
    perform admin.fn_lock_name('charge_rule');
    if exists (
        select from gateway.charge_rule_s as s
        where s.charge_rule_hk = util.hash_key(new.charge_rule) and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'charge_rule_is_new', format('There is a charge rule %s already', quote_literal(new.charge_rule)),
            'Update it, or give another name.'
        );
    end if;
    perform util.fn_load_hub(
        'gateway.charge_rule_h', util.hash_key(new.charge_rule), new.charge_rule, session_user
    );
    perform admin.fn_save_charge_rule(to_jsonb(new));
    select r.* into new from admin.charge_rule as r where util.hash_key(r.charge_rule) = util.hash_key(new.charge_rule);
    return new;
end
$$;

create or replace function admin.tg_charge_rule_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{charge_rule}', 'Insert another rule instead, and delete this one.'
    );
    -- Another customer's tenant is another one, unless it is said.
    if new.customer <> old.customer and new.tenant = old.tenant then
        new.tenant := null;
    end if;
    perform admin.fn_save_charge_rule(to_jsonb(new));
    select r.* into new from admin.charge_rule as r where r.charge_rule = old.charge_rule;
    return new;
end
$$;

create or replace function admin.tg_charge_rule_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_end_satellite(
        'gateway.charge_rule_s', jsonb_build_object('charge_rule_hk', util.hash_key(old.charge_rule)),
        '{"is_active": false}'
    );
    return old;
end
$$;

create trigger charge_rule_insert instead of insert on admin.charge_rule
for each row execute function admin.tg_charge_rule_insert();
create trigger charge_rule_update instead of update on admin.charge_rule
for each row execute function admin.tg_charge_rule_update();
create trigger charge_rule_delete instead of delete on admin.charge_rule
for each row execute function admin.tg_charge_rule_delete();

comment on function admin.tg_charge_rule_insert() is 'INSERT on admin.charge_rule: hub and first version.';
comment on function admin.tg_charge_rule_update() is 'UPDATE on admin.charge_rule: a new version.';
comment on function admin.tg_charge_rule_delete() is 'DELETE on admin.charge_rule: the last version ends.';
