create or replace function admin.tg_usage_export_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := lower(admin.fn_check_name('export', new.export));
    v_kind text := upper(btrim(new.kind));
    v_export_hk bytea := util.hash_key('usage export', v_name);
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), '{}', '{has_key,key_set_at}', 'Set the key with "onevault export key set".'
    );
    if v_name !~ '^[a-z0-9][a-z0-9_-]{0,49}$' then
        perform admin.fn_refuse_change(
            400, 'export_name_is_a_word', format('%s cannot be part of an id', quote_literal(v_name)),
            'Use at most 50 letters, digits, - and _.'
        );
    end if;
    if not util.fn_load_hub('gateway.usage_export_h', v_export_hk, v_name, session_user) then
        perform admin.fn_refuse_change(
            409, 'export_is_new', format('There is an export %s, or was one that was deleted', quote_literal(v_name)),
            'Update it, or choose another name: it is part of the ids of its events.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.usage_export_s', jsonb_build_object('usage_export_hk', v_export_hk), jsonb_build_object(
            'export_kind', v_kind, 'endpoint', coalesce(rtrim(btrim(new.endpoint), '/'), case v_kind
                when 'STRIPE' then 'https://api.stripe.com'
                when 'LAGO' then 'https://api.getlago.com'
                else 'https://openmeter.cloud'
            end), 'event_name', btrim(new.event_name), 'event_value', upper(btrim(coalesce(new.value, 'TOKENS'))),
            'tenant_hk', case when new.tenant is not null then admin.fn_find_tenant(new.tenant) end,
            'is_active', coalesce(new.is_active, true)
        )
    );
    select e.* into new from admin.usage_export as e where e.export = v_name;
    return new;
end
$$;

create or replace function admin.tg_usage_export_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{export,kind,value,tenant,has_key,key_set_at}',
        'What events are is settled with the export: insert another one. Its key is set with "onevault export key set".'
    );
    perform admin.fn_save_satellite(
        'gateway.usage_export_s',
        jsonb_build_object('usage_export_hk', (admin.fn_find_export(old.export)).usage_export_hk), jsonb_build_object(
            'endpoint', rtrim(btrim(new.endpoint), '/'), 'event_name', btrim(new.event_name), 'is_active', new.is_active
        )
    );
    select e.* into new from admin.usage_export as e where e.export = old.export;
    return new;
end
$$;

create or replace function admin.tg_usage_export_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_key jsonb := jsonb_build_object('usage_export_hk', (admin.fn_find_export(old.export)).usage_export_hk);
begin
    delete from admin.usage_export_customer as c where c.export = old.export;
    perform util.fn_close_satellite('gateway.usage_export_key_s', v_key);
    perform admin.fn_end_satellite('gateway.usage_export_s', v_key, '{"is_active": false}');
    return old;
end
$$;

create trigger usage_export_insert instead of insert on admin.usage_export
for each row execute function admin.tg_usage_export_insert();
create trigger usage_export_update instead of update on admin.usage_export
for each row execute function admin.tg_usage_export_update();
create trigger usage_export_delete instead of delete on admin.usage_export
for each row execute function admin.tg_usage_export_delete();

comment on function admin.tg_usage_export_insert() is 'INSERT on admin.usage_export: hub and first version.';
comment on function admin.tg_usage_export_update() is 'UPDATE on admin.usage_export: a new version.';
comment on function admin.tg_usage_export_delete() is
'DELETE on admin.usage_export: customers and key go with it, the last version ends; what waits is given up.';
