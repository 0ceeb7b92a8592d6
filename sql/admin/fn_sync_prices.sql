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
        'offer_hk', c.offer_hk, 'meter', c.meter, 'valid_from', c.valid_from, 'valid_to', c.begins,
        'cut', c.begins > c.valid_from
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
