-- A price as its row is known by, but for the moment from which it holds. What is not said is the plain case.
create or replace function admin.fn_price_key(p_row jsonb) returns jsonb
language sql stable
set search_path = ''
return jsonb_build_object(
    'offer_hk', util.hash_key(p_row ->> 'provider', p_row ->> 'model'), 'meter', lower(btrim(p_row ->> 'meter')),
    'threshold_tokens', coalesce((p_row ->> 'threshold_tokens')::integer, 0),
    'service_tier', coalesce(lower(btrim(p_row ->> 'service_tier')), 'standard'),
    'region', coalesce(lower(btrim(p_row ->> 'region')), ''), 'mode', coalesce(lower(btrim(p_row ->> 'mode')), 'sync'),
    'variant', coalesce(lower(btrim(p_row ->> 'variant')), '')
);

comment on function admin.fn_price_key(jsonb) is
'The key of a row of admin.price in gateway.offer_price_s, without valid_from.';

-- Not by the type of the view, so that the view can be made anew.
create or replace function admin.fn_read_price(p_key jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
    return (
        select to_jsonb(p)
        from jsonb_populate_record(null::gateway.offer_price_s, p_key) as k
        inner join gateway.offer_l as l on k.offer_hk = l.offer_hk
        inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
        inner join gateway.model_h as mh on l.model_hk = mh.model_hk
        inner join admin.price as p
            on
                p.provider = ph.provider_bk and p.model = mh.model_bk and p.meter = k.meter
                and p.valid_from = k.valid_from and p.threshold_tokens = k.threshold_tokens
                and p.service_tier = k.service_tier and p.region = k.region and p.mode = k.mode and p.variant = k.variant
    );
end
$$;

comment on function admin.fn_read_price(jsonb) is 'The row of admin.price with this key.';
