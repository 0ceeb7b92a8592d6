create or replace function admin.fn_clean_external_id(p_kind text, p_external_id text, p_customer text) returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_id text := coalesce(nullif(btrim(p_external_id), ''), case when p_kind = 'OPENMETER' then p_customer end);
begin
    if v_id is null then
        perform admin.fn_refuse_change(
            400, 'external_id_is_given', format('The customer %s needs an id there', quote_literal(p_customer)),
            'Fill external_id: the customer cus_… at Stripe, the external_subscription_id at Lago.'
        );
    elsif p_kind = 'STRIPE' and v_id !~ '^cus_[A-Za-z0-9_]+$' then
        perform admin.fn_refuse_change(
            400, 'external_id_is_a_stripe_customer', format('%s is no customer of Stripe', quote_literal(v_id)),
            'Use the id that begins with cus_.'
        );
    end if;
    return v_id;
end
$$;

comment on function admin.fn_clean_external_id(text, text, text) is
'A customer''s id at an export''s target; refuses what can be none. OpenMeter''s subject is his name if not given.';

create or replace function admin.tg_usage_export_customer_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_export gateway.usage_export_s := admin.fn_find_export(new.export);
    v_name text;
    v_tenant_hk bytea;
    v_customer_hk bytea := admin.fn_find_customer(new.customer);
    v_link_hk bytea := util.hash_key('usage export', lower(btrim(new.export)), new.customer);
begin
    select h.customer_bk, h.tenant_hk into v_name, v_tenant_hk
    from gateway.customer_h as h where h.customer_hk = v_customer_hk;
    if v_export.tenant_hk <> v_tenant_hk then
        perform admin.fn_refuse_change(
            400, 'customer_is_the_exports',
            format('The export %s is not for the tenant of %s', quote_literal(new.export), quote_literal(v_name)),
            'Make an export for his tenant, or one for all.'
        );
    end if;
    perform admin.fn_lock_name('usage export', new.export, v_name);
    if exists (
        select from gateway.usage_export_customer_s as s
        where s.usage_export_customer_hk = v_link_hk and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'customer_is_new_there', format('The customer %s has an id there already', quote_literal(v_name)),
            'Update it.'
        );
    end if;
    perform util.fn_load_hub(
        'gateway.usage_export_customer_l', v_link_hk, null, session_user, jsonb_build_object(
            'usage_export_hk', v_export.usage_export_hk, 'customer_hk', v_customer_hk, 'tenant_hk', v_tenant_hk
        )
    );
    perform admin.fn_save_satellite(
        'gateway.usage_export_customer_s', jsonb_build_object('usage_export_customer_hk', v_link_hk),
        jsonb_build_object(
            'external_id', admin.fn_clean_external_id(v_export.export_kind, new.external_id, v_name)
        )
    );
    select e.* into new
    from admin.usage_export_customer as e
    where e.export = lower(btrim(new.export)) and e.customer = v_name;
    return new;
end
$$;

create or replace function admin.tg_usage_export_customer_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{export,customer}', 'Insert another row instead, and delete this one.'
    );
    new.external_id := admin.fn_clean_external_id(
        (admin.fn_find_export(old.export)).export_kind, new.external_id, old.customer
    );
    perform admin.fn_save_satellite(
        'gateway.usage_export_customer_s',
        jsonb_build_object('usage_export_customer_hk', util.hash_key('usage export', old.export, old.customer)),
        jsonb_build_object('external_id', new.external_id)
    );
    return new;
end
$$;

create or replace function admin.tg_usage_export_customer_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform util.fn_close_satellite('gateway.usage_export_customer_s', jsonb_build_object(
        'usage_export_customer_hk', util.hash_key('usage export', old.export, old.customer)
    ));
    return old;
end
$$;

create trigger usage_export_customer_insert instead of insert on admin.usage_export_customer
for each row execute function admin.tg_usage_export_customer_insert();
create trigger usage_export_customer_update instead of update on admin.usage_export_customer
for each row execute function admin.tg_usage_export_customer_update();
create trigger usage_export_customer_delete instead of delete on admin.usage_export_customer
for each row execute function admin.tg_usage_export_customer_delete();

comment on function admin.tg_usage_export_customer_insert() is
'INSERT on admin.usage_export_customer: from now on an export hands over what he uses.';
comment on function admin.tg_usage_export_customer_update() is
'UPDATE on admin.usage_export_customer: another id, also for what waits.';
comment on function admin.tg_usage_export_customer_delete() is
'DELETE on admin.usage_export_customer: what he uses from now on is not handed over.';
