create or replace function admin.tg_provider_key_insert() returns trigger
language plpgsql
security definer
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

create or replace function admin.fn_check_key_models(p_provider text, p_models text[]) returns void
language plpgsql
stable
set search_path = ''
as $$
declare
    v_stranger text := (
        select m.name
        from unnest(p_models) as m (name)
        where not exists (
            select from gateway.offer_l as l
            inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
            inner join gateway.model_h as mh on l.model_hk = mh.model_hk
            where ph.provider_bk = p_provider and m.name in (mh.model_bk, ph.provider_bk || '/' || mh.model_bk)
        )
        limit 1
    );
begin
    if v_stranger is not null then
        perform admin.fn_refuse_change(
            400, 'key_models_are_of_its_provider',
            format('%s has no model %s', p_provider, quote_literal(v_stranger)),
            'Name models of the provider that the key is for, or use NULL for all of them.'
        );
    end if;
end
$$;

comment on function admin.fn_check_key_models(text, text[]) is 'Refuses models that a key could never be used for.';

create or replace function admin.tg_provider_key_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_models text[];
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old),
        '{provider,customer,key_name,key_fingerprint,encryption_key_id,last_validated,set_at}',
        'Set another key with the commands "onevault provider set" and "onevault provider key set".'
    );
    if old.customer is null then
        perform admin.fn_refuse_readonly(
            to_jsonb(new), to_jsonb(old), '{daily_spending_limit,monthly_spending_limit,allowed_models,falls_back}',
            'Settings of this kind are for customers'' own keys.'
        );
        perform admin.fn_save_satellite(
            'gateway.ai_provider_key_s',
            jsonb_build_object('provider_key_hk', util.hash_key('house', old.provider, old.key_name)),
            jsonb_build_object(
                'key_status', upper(btrim(new.key_status)), 'set_at', null,
                'provider_key_id', nullif(btrim(new.provider_key_id), '')
            ), '{api_key_encrypted,set_at}'
        );
    else
        perform admin.fn_refuse_readonly(
            to_jsonb(new), to_jsonb(old), '{provider_key_id}', 'It is for the house''s keys: others are on nobody''s bill here.'
        );
        v_models := admin.fn_clean_models(new.allowed_models);
        perform admin.fn_check_key_models(old.provider, v_models);
        perform admin.fn_save_satellite(
            'gateway.customer_provider_keys_s',
            jsonb_build_object(
                'customer_provider_key_hk', gateway.fn_own_key_hk(old.customer, old.provider, old.key_name)
            ),
            jsonb_build_object(
                'key_status', upper(btrim(new.key_status)), 'daily_spending_limit', new.daily_spending_limit,
                'monthly_spending_limit', new.monthly_spending_limit,
                'allowed_models', v_models, 'falls_back', new.falls_back, 'set_at', null
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
