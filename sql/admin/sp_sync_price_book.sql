-- Brings in what the public price book says, in a few statements for all of it. Three rules leave people's work alone: a
-- provider or model is the book's as long as its last version is in force and was made by the book; a meter of a model
-- that has a price by hand is not touched; nothing that the book no longer names is taken off the road.
create or replace function admin.fn_sync_providers(p_providers jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
begin
    perform util.fn_load_hub('gateway.ai_provider_h', util.hash_key(p.provider), p.provider, 'price book')
    from jsonb_to_recordset(p_providers) as p (provider text)
    where not exists (select from gateway.ai_provider_h as h where h.provider_hk = util.hash_key(p.provider));

    return util.fn_load_satellites('gateway.ai_provider_s', '{provider_hk}', (
        select coalesce(jsonb_agg(p.document - 'provider' || jsonb_build_object('provider_hk', p.provider_hk)), '[]')
        from (
            select r.document, util.hash_key(r.document ->> 'provider') as provider_hk
            from jsonb_array_elements(p_providers) as r (document)
        ) as p
        where coalesce((
            select s.load_end_date is null and s.record_source = 'price book'
            from gateway.ai_provider_s as s
            where s.provider_hk = p.provider_hk
            order by s.load_date desc
            limit 1
        ), true)
    ), 'price book');
end
$$;

comment on function admin.fn_sync_providers(jsonb) is 'Loads the price book''s providers; returns how many changed.';

create or replace function admin.fn_sync_models(p_offers jsonb) returns bigint
language plpgsql
set search_path = ''
as $$
begin
    perform util.fn_load_hub('gateway.model_h', m.model_hk, m.model, 'price book')
    from (
        select distinct on (util.hash_key(o.model)) util.hash_key(o.model) as model_hk, o.model
        from jsonb_to_recordset(p_offers) as o (model text)
        order by util.hash_key(o.model), o.model
    ) as m
    where not exists (select from gateway.model_h as h where h.model_hk = m.model_hk);

    perform util.fn_load_hub(
        'gateway.offer_l', o.offer_hk, null, 'price book',
        jsonb_build_object('provider_hk', o.provider_hk, 'model_hk', o.model_hk)
    )
    from (
        select distinct
            util.hash_key(b.provider, b.model) as offer_hk, util.hash_key(b.provider) as provider_hk,
            util.hash_key(b.model) as model_hk
        from jsonb_to_recordset(p_offers) as b (provider text, model text)
    ) as o
    where
        exists (select from gateway.ai_provider_h as h where h.provider_hk = o.provider_hk)
        and not exists (select from gateway.offer_l as l where l.offer_hk = o.offer_hk);

    return util.fn_load_satellites('gateway.offer_s', '{offer_hk}', (
        select coalesce(jsonb_agg(
            jsonb_strip_nulls(o.document - '{provider,model,prices,valid_from,valid_to}'::text[])
            || jsonb_build_object('offer_hk', o.offer_hk)
        ), '[]')
        from (
            select distinct on (l.offer_hk) l.offer_hk, b.document
            from jsonb_array_elements(p_offers) as b (document)
            inner join gateway.offer_l as l
                on l.offer_hk = util.hash_key(b.document ->> 'provider', b.document ->> 'model')
            order by l.offer_hk
        ) as o
        where coalesce((
            select s.load_end_date is null and s.record_source = 'price book'
            from gateway.offer_s as s
            where s.offer_hk = o.offer_hk
            order by s.load_date desc
            limit 1
        ), true)
    ), 'price book');
end
$$;

comment on function admin.fn_sync_models(jsonb) is 'Loads the price book''s models; returns how many changed.';

-- A row of the book that the book no longer has is cut where the book's rows begin, or ends if they do not follow it.
create or replace function admin.fn_sync_prices(
    p_offers jsonb, out changed bigint, out ended bigint, out kept_by_hand bigint
)
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_by_hand jsonb;
    v_book jsonb;
    v_cut jsonb;
begin
    select coalesce(jsonb_object_agg(encode(h.offer_hk, 'hex') || h.meter, true), '{}') into v_by_hand
    from (
        select distinct s.offer_hk, s.meter
        from gateway.offer_price_s as s
        where s.load_end_date is null and s.price_source = 'HAND' and s.valid_to > v_now
    ) as h;

    select
        coalesce(jsonb_agg(to_jsonb(b) - 'is_by_hand') filter (where not b.is_by_hand), '[]'),
        count(*) filter (where b.is_by_hand)
    into v_book, kept_by_hand
    from (
        select distinct on (s.offer_hk, m.meter, f.valid_from)
            s.offer_hk, m.meter, f.valid_from, coalesce(o.valid_to, 'infinity') as valid_to,
            m.price::numeric as usd_per_million, 'PRICE_BOOK' as price_source,
            v_by_hand ? (encode(s.offer_hk, 'hex') || m.meter) as is_by_hand
        from jsonb_to_recordset(p_offers) as o (
            provider text, model text, prices jsonb, valid_from timestamptz, valid_to timestamptz
        )
        inner join gateway.offer_s as s on s.offer_hk = util.hash_key(o.provider, o.model) and s.load_end_date is null
        cross join lateral jsonb_each_text(o.prices) as m (meter, price)
        cross join lateral (select coalesce(o.valid_from, '-infinity') as valid_from) as f
        order by s.offer_hk, m.meter, f.valid_from
    ) as b;

    select coalesce(jsonb_agg(jsonb_build_object(
        'offer_hk', c.offer_hk, 'meter', c.meter, 'valid_from', c.valid_from, 'valid_to', c.begins, 'cut', c.begins > c.valid_from
    )), '[]')
    into v_cut
    from (
        select s.offer_hk, s.meter, s.valid_from, s.valid_to, (
            select min(b.valid_from)
            from jsonb_to_recordset(v_book) as b (offer_hk bytea, meter text, valid_from timestamptz)
            where b.offer_hk = s.offer_hk and b.meter = s.meter
        ) as begins
        from gateway.offer_price_s as s
        where
            s.load_end_date is null and s.price_source = 'PRICE_BOOK' and s.valid_to > v_now
            and not v_by_hand ? (encode(s.offer_hk, 'hex') || s.meter)
            and s.offer_hk in (select b.offer_hk from jsonb_to_recordset(v_book) as b (offer_hk bytea))
            and (s.offer_hk, s.meter, s.valid_from) not in (
                select b.offer_hk, b.meter, b.valid_from
                from jsonb_to_recordset(v_book) as b (offer_hk bytea, meter text, valid_from timestamptz)
            )
    ) as c
    where c.begins is null or c.begins <= c.valid_from or c.begins < c.valid_to;

    perform util.fn_close_satellite('gateway.offer_price_s', c.document - '{valid_to,cut}'::text[])
    from jsonb_array_elements(v_cut) as c (document)
    where not coalesce((c.document ->> 'cut')::boolean, false);
    changed := util.fn_load_satellites('gateway.offer_price_s', '{offer_hk,meter,valid_from}', v_book || (
        select coalesce(jsonb_agg(c.document - 'cut'), '[]')
        from jsonb_array_elements(v_cut) as c (document)
        where (c.document ->> 'cut')::boolean
    ), 'price book');
    ended := jsonb_array_length(v_cut);
end
$$;

comment on function admin.fn_sync_prices(jsonb) is
'Loads the price book''s prices; tells how many changed, were cut or ended, and were left as people set them.';

create or replace function admin.sp_sync_price_book(p_providers jsonb, p_offers jsonb)
returns table (
    providers_changed bigint, models_changed bigint, prices_changed bigint, prices_ended bigint, prices_kept_by_hand bigint
)
language plpgsql
security definer
set search_path = ''
as $$
begin
    providers_changed := admin.fn_sync_providers(p_providers);
    models_changed := admin.fn_sync_models(p_offers);
    select s.changed, s.ended, s.kept_by_hand into prices_changed, prices_ended, prices_kept_by_hand
    from admin.fn_sync_prices(p_offers) as s;
    return next;
end
$$;

comment on function admin.sp_sync_price_book(jsonb, jsonb) is
'Brings the public price book in: arrays of rows of admin.provider, and of models with "prices" {meter: USD per million},
"valid_from" and "valid_to". Tells what changed; twice the same changes nothing.';
