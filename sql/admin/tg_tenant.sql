create or replace function admin.tg_tenant_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('tenant', new.tenant);
    v_tenant_hk bytea := util.hash_key(v_name);
begin
    if not util.fn_load_hub('auth.tenant_h', v_tenant_hk, v_name, session_user) then
        perform admin.fn_refuse_change(
            409, 'tenant_is_new', format('The tenant %s exists already, or did and was deleted', quote_literal(v_name)),
            'Update it, or choose another name: bills and history of a deleted tenant keep theirs.'
        );
    end if;
    perform admin.fn_save_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', v_tenant_hk), jsonb_strip_nulls(jsonb_build_object(
            'tenant_name', coalesce(new.tenant_name, v_name), 'time_zone', admin.fn_clean_time_zone(new.time_zone),
            'markup_percent', new.markup_percent, 'address_policy', upper(new.address_policy),
            'baseline_model', (
                admin.fn_clean_models(array_remove(array[nullif(btrim(new.baseline_model), '')], null))
            )[1],
            'allowed_betas', admin.fn_clean_betas(new.allowed_betas), 'is_active', new.is_active
        ))
    );
    select t.* into new from admin.tenant as t where t.tenant = v_name;
    return new;
end
$$;

create or replace function admin.tg_tenant_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if new.tenant is distinct from old.tenant then
        perform admin.fn_refuse_change(
            400, 'tenant_keeps_its_name', format('The tenant %s keeps its name', quote_literal(old.tenant)),
            'Change tenant_name, which is the one on bills.'
        );
    end if;
    perform admin.fn_save_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key(old.tenant)), jsonb_build_object(
            'tenant_name', new.tenant_name, 'time_zone', admin.fn_clean_time_zone(new.time_zone),
            'markup_percent', new.markup_percent, 'address_policy', upper(new.address_policy),
            'baseline_model', (
                admin.fn_clean_models(array_remove(array[nullif(btrim(new.baseline_model), '')], null))
            )[1],
            'allowed_betas', admin.fn_clean_betas(new.allowed_betas), 'is_active', new.is_active
        )
    );
    select t.* into new from admin.tenant as t where t.tenant = old.tenant;
    return new;
end
$$;

-- A tenant goes when nobody is left in it: what its customers used is billed to it.
create or replace function admin.tg_tenant_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customers bigint := (select count(*) from admin.customer as c where c.tenant = old.tenant);
begin
    if v_customers > 0 then
        perform admin.fn_refuse_change(
            409, 'tenant_has_no_customers',
            format('The tenant %s has %s customers', quote_literal(old.tenant), v_customers),
            'Delete them first, or set is_active = false to let none of them call.'
        );
    end if;
    perform admin.fn_end_satellite(
        'auth.tenant_s', jsonb_build_object('tenant_hk', util.hash_key(old.tenant)), '{"is_active": false}'
    );
    return old;
end
$$;

create trigger tenant_insert instead of insert on admin.tenant
for each row execute function admin.tg_tenant_insert();
create trigger tenant_update instead of update on admin.tenant
for each row execute function admin.tg_tenant_update();
create trigger tenant_delete instead of delete on admin.tenant
for each row execute function admin.tg_tenant_delete();

comment on function admin.tg_tenant_insert() is 'INSERT on admin.tenant: hub and first version.';
comment on function admin.tg_tenant_update() is 'UPDATE on admin.tenant: a new version.';
comment on function admin.tg_tenant_delete() is 'DELETE on admin.tenant: the last version ends.';
