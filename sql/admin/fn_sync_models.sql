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
            jsonb_strip_nulls(o.document - '{provider,model,prices,other_prices,valid_from,valid_to}'::text[])
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
