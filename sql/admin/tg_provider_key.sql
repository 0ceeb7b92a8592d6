create or replace function admin.tg_provider_key_insert() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    perform admin.fn_refuse_change(
        400, 'provider_key_is_sealed_by_the_gateway', 'SQL cannot set a key: it would stand in logs, unsealed',
        case
            when new.customer is null then format('Use: onevault provider set %s --api-key-stdin', new.provider)
            else format('Use: onevault provider key set %s %s --api-key-stdin', new.customer, new.provider)
        end
    );
end
$$;

create or replace function admin.tg_provider_key_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old),
        '{provider,customer,key_name,key_fingerprint,encryption_key_id,last_validated,set_at}',
        'Set another key with the commands "onevault provider set" and "onevault provider key set".'
    );
    if old.customer is null then
        perform admin.fn_refuse_readonly(
            to_jsonb(new), to_jsonb(old), '{daily_spending_limit,monthly_spending_limit,allowed_models}',
            'Limits of this kind are for customers'' own keys.'
        );
        perform admin.fn_save_satellite(
            'gateway.ai_provider_key_s',
            jsonb_build_object('provider_key_hk', util.hash_key('house', old.provider, old.key_name)),
            jsonb_build_object('key_status', upper(btrim(new.key_status)), 'set_at', null),
            '{api_key_encrypted,set_at}'
        );
    else
        perform admin.fn_save_satellite(
            'gateway.customer_provider_keys_s',
            jsonb_build_object('customer_provider_key_hk', util.hash_key('customer', old.customer, old.provider)),
            jsonb_build_object(
                'key_status', upper(btrim(new.key_status)), 'daily_spending_limit', new.daily_spending_limit,
                'monthly_spending_limit', new.monthly_spending_limit,
                'allowed_models', admin.fn_clean_models(new.allowed_models), 'set_at', null
            ), '{api_key_encrypted,set_at}'
        );
    end if;
    select k.* into new
    from admin.provider_key as k
    where k.provider = old.provider and k.customer is not distinct from old.customer and k.key_name = old.key_name;
    return new;
end
$$;

create or replace function admin.tg_provider_key_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    update admin.provider_key as k set key_status = 'REVOKED'
    where k.provider = old.provider and k.customer is not distinct from old.customer and k.key_name = old.key_name;
    return old;
end
$$;

create trigger provider_key_insert instead of insert on admin.provider_key
for each row execute function admin.tg_provider_key_insert();
create trigger provider_key_update instead of update on admin.provider_key
for each row execute function admin.tg_provider_key_update();
create trigger provider_key_delete instead of delete on admin.provider_key
for each row execute function admin.tg_provider_key_delete();

comment on function admin.tg_provider_key_insert() is 'INSERT on admin.provider_key: refused, with the way that works.';
comment on function admin.tg_provider_key_update() is 'UPDATE on admin.provider_key: a new version.';
comment on function admin.tg_provider_key_delete() is 'DELETE on admin.provider_key: revoked, a new version.';
