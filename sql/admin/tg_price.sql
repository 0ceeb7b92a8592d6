create or replace function admin.tg_price_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_offer_hk bytea := admin.fn_find_offer(new.provider, new.model);
    v_meter text := lower(btrim(new.meter));
    v_valid_from timestamptz;
begin
    perform admin.fn_refuse_readonly(to_jsonb(new), null, '{is_in_force}', 'It follows from valid_from and valid_to.');
    if v_meter is null then
        perform admin.fn_refuse_change(
            400, 'meter_is_given', 'A price needs a meter', 'Use input, output, cache_read or cache_write.'
        );
    end if;
    perform admin.fn_lock_name('price', new.provider, new.model, v_meter);
    v_valid_from := coalesce(new.valid_from, case when exists (
        select from gateway.offer_price_s as s
        where s.offer_hk = v_offer_hk and s.meter = v_meter and s.load_end_date is null
    ) then util.current_load_date() else '-infinity' end);
    if exists (
        select from gateway.offer_price_s as s
        where
            s.offer_hk = v_offer_hk and s.meter = v_meter and s.valid_from = v_valid_from and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'price_is_new',
            format('%s/%s has a price for %s from %s on already', new.provider, new.model, v_meter, v_valid_from),
            'Update it, or give another valid_from.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.offer_price_s',
        jsonb_build_object('offer_hk', v_offer_hk, 'meter', v_meter, 'valid_from', v_valid_from),
        jsonb_build_object('usd_per_million', new.usd_per_million, 'valid_to', coalesce(new.valid_to, 'infinity'))
        || jsonb_build_object('price_source', coalesce(upper(btrim(new.price_source)), 'HAND'))
    );
    select p.* into new
    from gateway.offer_l as l
    inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
    inner join gateway.model_h as mh on l.model_hk = mh.model_hk
    inner join admin.price as p
        on p.provider = ph.provider_bk and p.model = mh.model_bk and p.meter = v_meter and p.valid_from = v_valid_from
    where l.offer_hk = v_offer_hk;
    return new;
end
$$;

-- What a person changes is his from then on, unless he says that it is the price book's.
create or replace function admin.tg_price_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_key jsonb := jsonb_build_object('offer_hk', util.hash_key(old.provider, old.model), 'meter', old.meter);
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old), '{provider,model,meter,is_in_force}',
        'Insert another price instead, and delete this one.'
    );
    if to_jsonb(new) = to_jsonb(old) then
        return new;
    end if;
    if new.valid_from is null then
        perform admin.fn_refuse_change(
            400, 'valid_from_is_given', 'valid_from cannot be NULL', 'Use a moment, or -infinity for since ever.'
        );
    end if;
    if new.valid_from <> old.valid_from then
        delete from admin.price as p
        where
            p.provider = old.provider and p.model = old.model and p.meter = old.meter and p.valid_from = old.valid_from;
        new.is_in_force := null;
        new.price_source := case when new.price_source = old.price_source then 'HAND' else new.price_source end;
        insert into admin.price (provider, model, meter, usd_per_million, valid_from, valid_to, price_source)
        values (
            new.provider, new.model, new.meter, new.usd_per_million, new.valid_from, new.valid_to, new.price_source
        );
    else
        perform admin.fn_save_satellite(
            'gateway.offer_price_s', v_key || jsonb_build_object('valid_from', old.valid_from), jsonb_build_object(
                'usd_per_million', new.usd_per_million, 'valid_to', new.valid_to, 'price_source',
                case when new.price_source = old.price_source then 'HAND' else upper(btrim(new.price_source)) end
            )
        );
    end if;
    select p.* into new
    from admin.price as p
    where p.provider = old.provider and p.model = old.model and p.meter = old.meter and p.valid_from = new.valid_from;
    return new;
end
$$;

create or replace function admin.tg_price_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform util.fn_close_satellite('gateway.offer_price_s', jsonb_build_object(
        'offer_hk', util.hash_key(old.provider, old.model), 'meter', old.meter, 'valid_from', old.valid_from
    ));
    return old;
end
$$;

create trigger price_insert instead of insert on admin.price
for each row execute function admin.tg_price_insert();
create trigger price_update instead of update on admin.price
for each row execute function admin.tg_price_update();
create trigger price_delete instead of delete on admin.price
for each row execute function admin.tg_price_delete();

comment on function admin.tg_price_insert() is 'INSERT on admin.price: a version, HAND unless said otherwise.';
comment on function admin.tg_price_update() is 'UPDATE on admin.price: a new version, HAND unless said otherwise.';
comment on function admin.tg_price_delete() is 'DELETE on admin.price: the version ends.';
