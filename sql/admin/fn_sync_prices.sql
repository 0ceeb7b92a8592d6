-- Carries out what sp_compare_prices says, in a few statements.
create or replace function admin.fn_sync_prices(
    p_offers jsonb, out changed bigint, out ended bigint, out kept_by_hand bigint
)
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
    v_key_columns text[] := '{offer_hk,meter,threshold_tokens,service_tier,region,mode,variant,valid_from}';
    v_loaded jsonb;
    v_ended jsonb;
begin
    select
        coalesce(jsonb_agg(d.key || jsonb_build_object(
            'valid_to', c.valid_to, 'usd_per_million', c.usd_per_million, 'price_source', 'PRICE_BOOK'
        )) filter (where c.change in ('added', 'changed', 'cut')), '[]'),
        coalesce(jsonb_agg(d.key) filter (where c.change = 'ended'), '[]'),
        count(*) filter (where c.change in ('cut', 'ended')), count(*) filter (where c.change = 'kept')
    into v_loaded, v_ended, ended, kept_by_hand
    from admin.sp_compare_prices(p_offers) as c
    cross join lateral (
        select jsonb_build_object(
            'offer_hk', c.offer_hk, 'meter', c.meter, 'threshold_tokens', c.threshold_tokens,
            'service_tier', c.service_tier, 'region', c.region, 'mode', c.mode, 'variant', c.variant,
            'valid_from', c.valid_from
        ) as key
    ) as d
    -- Of a provider that was deleted the book makes no models.
    where exists (select from gateway.offer_s as s where s.offer_hk = c.offer_hk and s.load_end_date is null);

    perform util.fn_close_satellite('gateway.offer_price_s', e.key) from jsonb_array_elements(v_ended) as e (key);
    changed := util.fn_load_satellites('gateway.offer_price_s', v_key_columns, v_loaded, 'price book');
end
$$;

comment on function admin.fn_sync_prices(jsonb) is
'Loads the price book''s prices; tells how many changed, were cut or ended, and were left as people set them.';
