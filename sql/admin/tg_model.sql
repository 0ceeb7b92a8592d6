create or replace function admin.tg_model_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_provider_hk bytea := admin.fn_find_provider(new.provider);
    v_model text := admin.fn_check_name('model', new.model);
    v_offer_hk bytea := util.hash_key(new.provider, v_model);
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), null,
        array[
            'input_usd_per_million', 'output_usd_per_million', 'cache_read_usd_per_million',
            'cache_write_usd_per_million', 'unroutable_because'
        ],
        'Prices are rows of admin.price.'
    );
    perform admin.fn_lock_name('model', new.provider, v_model);
    if exists (select from gateway.offer_s as s where s.offer_hk = v_offer_hk and s.load_end_date is null) then
        perform admin.fn_refuse_change(
            409, 'model_is_new',
            format('The provider %s has a model %s already', quote_literal(new.provider), quote_literal(v_model)),
            'Update it.'
        );
    end if;
    perform util.fn_load_hub('gateway.model_h', util.hash_key(v_model), v_model, session_user);
    perform util.fn_load_hub(
        'gateway.offer_l', v_offer_hk, null, session_user,
        jsonb_build_object('provider_hk', v_provider_hk, 'model_hk', util.hash_key(v_model))
    );
    perform admin.fn_save_satellite(
        'gateway.offer_s', jsonb_build_object('offer_hk', v_offer_hk),
        jsonb_build_object('upstream_model', v_model) || jsonb_strip_nulls(admin.fn_pack_model(to_jsonb(new)))
    );
    select m.* into new
    from gateway.offer_l as l
    inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
    inner join gateway.model_h as mh on l.model_hk = mh.model_hk
    inner join admin.model as m on m.provider = ph.provider_bk and m.model = mh.model_bk
    where l.offer_hk = v_offer_hk;
    return new;
end
$$;

create or replace function admin.tg_model_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{provider,model}', 'Insert another model instead, and delete this one.'
    );
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old),
        array[
            'input_usd_per_million', 'output_usd_per_million', 'cache_read_usd_per_million',
            'cache_write_usd_per_million', 'unroutable_because'
        ],
        'Prices are rows of admin.price.'
    );
    perform admin.fn_save_satellite(
        'gateway.offer_s', jsonb_build_object('offer_hk', util.hash_key(old.provider, old.model)),
        admin.fn_pack_model(to_jsonb(new))
    );
    select m.* into new from admin.model as m where m.provider = old.provider and m.model = old.model;
    return new;
end
$$;

-- Its prices end with it: a model that is inserted again later must not come back at what it cost once.
create or replace function admin.tg_model_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    delete from admin.price as p where p.provider = old.provider and p.model = old.model;
    perform admin.fn_end_satellite(
        'gateway.offer_s', jsonb_build_object('offer_hk', util.hash_key(old.provider, old.model)),
        '{"is_active": false}'
    );
    return old;
end
$$;

create trigger model_insert instead of insert on admin.model
for each row execute function admin.tg_model_insert();
create trigger model_update instead of update on admin.model
for each row execute function admin.tg_model_update();
create trigger model_delete instead of delete on admin.model
for each row execute function admin.tg_model_delete();

comment on function admin.tg_model_insert() is 'INSERT on admin.model: hub, link and a version.';
comment on function admin.tg_model_update() is 'UPDATE on admin.model: a new version.';
comment on function admin.tg_model_delete() is 'DELETE on admin.model: its prices and its last version end.';
