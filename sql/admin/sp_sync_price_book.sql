-- Brings in what the public price book says, in a few statements for all of it. Three rules leave people's work alone:
-- a provider or model is the book's as long as its last version is in force and was made by the book; a meter of a
-- model that has a price by hand is not touched; nothing that the book no longer names is taken off the road.
create or replace function admin.sp_sync_price_book(p_version text, p_providers jsonb, p_offers jsonb)
returns table (
    providers_changed bigint, models_changed bigint, prices_changed bigint, prices_ended bigint,
    prices_kept_by_hand bigint
)
language plpgsql
security definer
set search_path = ''
as $$
begin
    insert into ops.price_book (book_version) values (p_version)
    on conflict (only_row) do update set book_version = excluded.book_version, synced_at = excluded.synced_at;
    providers_changed := admin.fn_sync_providers(p_providers);
    models_changed := admin.fn_sync_models(p_offers);
    select s.changed, s.ended, s.kept_by_hand into prices_changed, prices_ended, prices_kept_by_hand
    from admin.fn_sync_prices(p_offers) as s;
    return next;
end
$$;

comment on function admin.sp_sync_price_book(text, jsonb, jsonb) is
'Brings the public price book in: arrays of rows of admin.provider, and of models with "prices" {meter: USD per
million}, "other_prices" (rows of admin.price: meter, threshold_tokens, service_tier, region, mode, variant, usd_per_million),
"valid_from" and "valid_to". Tells what changed; twice the same changes nothing.';
