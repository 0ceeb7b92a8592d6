-- A name that was somebody's is never given to somebody else by mistake: old bills bear it.
create or replace function admin.tg_customer_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('customer', new.customer);
    v_customer_hk bytea := util.hash_key(v_name);
    v_tenant_hk bytea := admin.fn_find_tenant(coalesce(new.tenant, 'default'));
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), null, '{customer_reference}', 'Leave it out: the gateway makes it.'
    );
    if not util.fn_load_hub(
        'gateway.customer_h', v_customer_hk, v_name, session_user,
        jsonb_build_object('tenant_hk', v_tenant_hk, 'customer_reference', util.fn_reference(v_customer_hk))
    ) then
        if exists (
            select from gateway.customer_config_s as s where s.customer_hk = v_customer_hk and s.load_end_date is null
        ) then
            perform admin.fn_refuse_change(
                409, 'customer_is_new', format('The customer %s exists already', quote_literal(v_name)),
                'Update it, or choose another name.'
            );
        end if;
        perform admin.fn_refuse_change(
            409, 'deleted_customer_keeps_its_name',
            format('A customer %s was deleted; its name is not given away again', quote_literal(v_name)),
            format('Choose another name, or bring it back: select admin.restore_customer(%L);', v_name)
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.customer_config_s', jsonb_build_object('customer_hk', v_customer_hk),
        jsonb_strip_nulls(admin.fn_pack_customer(to_jsonb(new)))
    );
    select c.* into new from admin.customer as c where c.customer = v_name;
    return new;
end
$$;

create or replace function admin.tg_customer_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{customer,tenant,customer_reference}',
        'A customer keeps its name, tenant and reference; insert another customer instead.'
    );
    perform admin.fn_save_satellite(
        'gateway.customer_config_s', jsonb_build_object('customer_hk', util.hash_key(old.customer)),
        admin.fn_pack_customer(to_jsonb(new))
    );
    select c.* into new from admin.customer as c where c.customer = old.customer;
    return new;
end
$$;

-- Calls under way are settled all the same: their reservations hold all that booking needs. What it subscribed to ends
-- today; its billing profile stays, for the last invoice.
create or replace function admin.tg_customer_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    delete from admin.token as t where t.customer = old.customer;
    delete from admin.provider_key as k where k.customer = old.customer;
    delete from admin.usage_export_customer as e where e.customer = old.customer;
    perform admin.fn_end_webhook_secrets(util.hash_key(old.customer));
    perform admin.fn_end_subscriptions(
        util.hash_key(old.customer), null, (util.current_load_date() at time zone t.time_zone)::date
    )
    from admin.tenant as t
    where t.tenant = old.tenant;
    perform admin.fn_end_satellite(
        'gateway.customer_config_s', jsonb_build_object('customer_hk', util.hash_key(old.customer)),
        '{"is_active": false}'
    );
    return old;
end
$$;

create trigger customer_insert instead of insert on admin.customer
for each row execute function admin.tg_customer_insert();
create trigger customer_update instead of update on admin.customer
for each row execute function admin.tg_customer_update();
create trigger customer_delete instead of delete on admin.customer
for each row execute function admin.tg_customer_delete();

comment on function admin.tg_customer_insert() is 'INSERT on admin.customer: hub and first version.';
comment on function admin.tg_customer_update() is 'UPDATE on admin.customer: a new version.';
comment on function admin.tg_customer_delete() is
'DELETE on admin.customer: tokens and keys revoked, subscriptions and the last version end.';
