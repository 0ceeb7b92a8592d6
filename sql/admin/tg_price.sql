create or replace function admin.tg_price_insert() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_offer_hk bytea := admin.fn_find_offer(new.provider, new.model);
    v_key jsonb := admin.fn_price_key(to_jsonb(new)) || jsonb_build_object('offer_hk', v_offer_hk);
    v_follows boolean;
begin
    perform admin.fn_refuse_readonly(to_jsonb(new), null, '{is_in_force}', 'It follows from valid_from and valid_to.');
    if new.meter is null then
        perform admin.fn_refuse_change(
            400, 'meter_is_given', 'A price needs a meter', 'Use input, output, cache_read or another; see admin.price.meter.'
        );
    end if;
    perform admin.fn_lock_name('price', new.provider, new.model, v_key ->> 'meter');
    select count(*) > 0 into v_follows
    from gateway.offer_price_s as s
    inner join jsonb_populate_record(null::gateway.offer_price_s, v_key) as k
        on
            s.offer_hk = k.offer_hk and s.meter = k.meter and s.threshold_tokens = k.threshold_tokens
            and s.service_tier = k.service_tier and s.region = k.region and s.mode = k.mode and s.variant = k.variant
    where s.load_end_date is null;
    new.valid_from := coalesce(
        new.valid_from, case when v_follows then util.current_load_date() else '-infinity' end
    );
    v_key := v_key || jsonb_build_object('valid_from', new.valid_from);
    if admin.fn_read_price(v_key) is not null then
        perform admin.fn_refuse_change(
            409, 'price_is_new',
            format('%s/%s has such a price for %s from %s on already',
                new.provider, new.model, v_key ->> 'meter', new.valid_from),
            'Update it, or give another valid_from.'
        );
    end if;
    perform admin.fn_save_satellite(
        'gateway.offer_price_s', v_key,
        jsonb_build_object('usd_per_million', new.usd_per_million, 'valid_to', coalesce(new.valid_to, 'infinity'))
        || jsonb_build_object('price_source', coalesce(upper(btrim(new.price_source)), 'HAND'))
    );
    return jsonb_populate_record(new, admin.fn_read_price(v_key));
end
$$;

-- What a person changes is his from then on, unless he says that it is the price book's.
create or replace function admin.tg_price_update() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_key jsonb := admin.fn_price_key(to_jsonb(old));
begin
    perform admin.fn_refuse_readonly(
        to_jsonb(new), to_jsonb(old),
        '{provider,model,meter,threshold_tokens,service_tier,region,mode,variant,is_in_force}',
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
        perform util.fn_close_satellite(
            'gateway.offer_price_s', v_key || jsonb_build_object('valid_from', old.valid_from)
        );
        insert into admin.price (
            provider, model, meter, threshold_tokens, service_tier, region, mode, variant, usd_per_million, valid_from,
            valid_to, price_source
        ) values (
            new.provider, new.model, new.meter, new.threshold_tokens, new.service_tier, new.region, new.mode,
            new.variant, new.usd_per_million, new.valid_from, new.valid_to,
            case when new.price_source = old.price_source then 'HAND' else new.price_source end
        );
    else
        perform admin.fn_save_satellite(
            'gateway.offer_price_s', v_key || jsonb_build_object('valid_from', old.valid_from), jsonb_build_object(
                'usd_per_million', new.usd_per_million, 'valid_to', new.valid_to, 'price_source',
                case when new.price_source = old.price_source then 'HAND' else upper(btrim(new.price_source)) end
            )
        );
    end if;
    return jsonb_populate_record(
        new, admin.fn_read_price(v_key || jsonb_build_object('valid_from', new.valid_from))
    );
end
$$;

create or replace function admin.tg_price_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform util.fn_close_satellite(
        'gateway.offer_price_s',
        admin.fn_price_key(to_jsonb(old)) || jsonb_build_object('valid_from', old.valid_from)
    );
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
