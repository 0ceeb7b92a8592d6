create or replace function admin.tg_provider_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_name text := admin.fn_check_name('provider', new.provider);
    v_provider_hk bytea := util.hash_key(v_name);
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), null,
        '{has_key,models_available,cost_per_1k_tokens,current_latency_ms,current_availability_percent}',
        'Leave it out: it follows from keys, models, prices and calls.'
    );
    if v_name ~ '[/[:space:]]' then
        perform admin.fn_refuse_change(400, 'provider_bk_has_no_slash', e.message, e.hint)
        from admin.fn_explain_constraint('provider_bk_has_no_slash') as e;
    end if;
    perform admin.fn_lock_name('provider', v_name);
    if exists (
        select from gateway.ai_provider_s as s where s.provider_hk = v_provider_hk and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'provider_is_new', format('The provider %s exists already', quote_literal(v_name)), 'Update it.'
        );
    end if;
    perform util.fn_load_hub('gateway.ai_provider_h', v_provider_hk, v_name, session_user);
    perform admin.fn_save_satellite(
        'gateway.ai_provider_s', jsonb_build_object('provider_hk', v_provider_hk),
        jsonb_build_object('provider_name', v_name) || jsonb_strip_nulls(admin.fn_pack_provider(to_jsonb(new)))
    );
    select p.* into new from admin.provider as p where p.provider = (
        select h.provider_bk from gateway.ai_provider_h as h where h.provider_hk = v_provider_hk
    );
    return new;
end
$$;

create or replace function admin.tg_provider_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old),
        '{provider,has_key,models_available,cost_per_1k_tokens,current_latency_ms,current_availability_percent}',
        'A provider keeps its name; the rest follows from keys, models, prices and calls.'
    );
    perform admin.fn_save_satellite(
        'gateway.ai_provider_s', jsonb_build_object('provider_hk', util.hash_key(old.provider)),
        admin.fn_pack_provider(to_jsonb(new))
    );
    select p.* into new from admin.provider as p where p.provider = old.provider;
    return new;
end
$$;

create or replace function admin.tg_provider_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    delete from admin.provider_key as k where k.provider = old.provider and k.customer is null;
    perform admin.fn_end_satellite(
        'gateway.ai_provider_s', jsonb_build_object('provider_hk', util.hash_key(old.provider)), '{"is_active": false}'
    );
    return old;
end
$$;

create trigger provider_insert instead of insert on admin.provider
for each row execute function admin.tg_provider_insert();
create trigger provider_update instead of update on admin.provider
for each row execute function admin.tg_provider_update();
create trigger provider_delete instead of delete on admin.provider
for each row execute function admin.tg_provider_delete();

comment on function admin.tg_provider_insert() is 'INSERT on admin.provider: hub and a version.';
comment on function admin.tg_provider_update() is 'UPDATE on admin.provider: a new version.';
comment on function admin.tg_provider_delete() is
'DELETE on admin.provider: the house''s keys revoked, the last version ends.';
