-- What a call holds that does more than read and write text: the prompt at the dearest of what it may contain, the
-- answer at the dearest of what it may be made of; pictures by the piece or, where they are priced so, by tokens;
-- searches as many as it may make. What has no price is not held at zero: the offer is no candidate.
create or replace function gateway.fn_hold_extras(
    p_asked jsonb, p_prices jsonb, p_input_usd numeric, p_output_usd numeric
) returns gateway.held_extras
language plpgsql immutable
set search_path = ''
as $$
declare
    v_images integer := (p_asked ->> 'images_out')::integer;
    v_image_usd numeric;
    v_held gateway.held_extras;
begin
    v_held.input_usd := greatest(
        p_input_usd,
        case when p_asked ? 'cache_1h' then (p_prices ->> 'cache_write_1h')::numeric end,
        case when p_asked ? 'images' then (p_prices ->> 'input_image')::numeric end,
        case when p_asked ? 'audio_in'
            then greatest((p_prices ->> 'input_audio')::numeric, (p_prices ->> 'cache_read_audio')::numeric) end
    );
    v_held.output_usd := greatest(
        p_output_usd, case when p_asked ? 'audio_out' then (p_prices ->> 'output_audio')::numeric end
    );
    v_held.extra_usd := 0;
    v_held.is_unpriced := p_asked ? 'audio_in' and not coalesce(p_prices ? 'input_audio', false)
        or p_asked ? 'audio_out' and not coalesce(p_prices ? 'output_audio', false);
    if p_asked ? 'searches' then
        v_held.extra_usd := (p_asked ->> 'searches')::integer * (p_prices ->> 'search')::numeric;
        v_held.is_unpriced := v_held.is_unpriced or v_held.extra_usd is null;
    end if;
    if v_images > 0 then
        v_image_usd := gateway.fn_find_image_price(p_prices, p_asked ->> 'image_variant');
        if v_image_usd is not null then
            v_held.extra_usd := v_held.extra_usd + v_images * v_image_usd;
            v_held.output_usd := case when p_asked ->> 'capability' = 'image' then 0 else v_held.output_usd end;
        else
            v_held.output_usd := greatest(v_held.output_usd, (p_prices ->> 'output_image')::numeric);
            -- Other variants have prices, or nothing of it would cost anything.
            v_held.is_unpriced := v_held.is_unpriced or v_held.output_usd = 0
                or coalesce(jsonb_path_exists(p_prices, '$.keyvalue() ? (@.key starts with "image/")'), false);
        end if;
    end if;
    v_held.extra_usd := coalesce(v_held.extra_usd, 0) * 0.000001;
    return v_held;
end
$$;

comment on function gateway.fn_hold_extras(jsonb, jsonb, numeric, numeric) is
'USD per million of the prompt''s and the answer''s tokens that a call holds which may use more than text, USD for what
is no token, and whether it would use what has no price here.';

-- A variant that nobody named may be the dearest.
create or replace function gateway.fn_find_image_price(p_prices jsonb, p_variant text) returns numeric
language sql immutable
set search_path = ''
begin atomic
    select coalesce(
        (p_prices ->> ('image/' || p_variant))::numeric, (p_prices ->> 'image')::numeric,
        (
            select max(p.value::numeric) from jsonb_each_text(p_prices) as p
            where p_variant is null and p.key like 'image/%'
        )
    );
end;

comment on function gateway.fn_find_image_price(jsonb, text) is
'USD per million pictures of this size/quality, of any, or, where none is named, of the dearest; NULL if it has no
price.';
