-- Pictures that are only looked at are most calls with pictures, and cost what text costs but at makers of pictures.
create or replace function gateway.fn_ask_extras(p_features gateway.request_features) returns jsonb
language sql immutable
return case
    when
        (p_features).images_out > 0 or (p_features).searches or (p_features).audio_in or (p_features).audio_out
        or (p_features).cache_1h
        then jsonb_strip_nulls(jsonb_build_object(
            'images', case when (p_features).images > 0 then true end,
            'images_out', case when (p_features).images_out > 0 then (p_features).images_out end,
            'image_variant', case when (p_features).images_out > 0 then (p_features).image_variant end,
            'capability', case when (p_features).images_out > 0 then (p_features).capability end,
            'searches', nullif((p_features).searches, false), 'audio_in', nullif((p_features).audio_in, false),
            'audio_out', nullif((p_features).audio_out, false), 'cache_1h', nullif((p_features).cache_1h, false)
        ))
end;

comment on function gateway.fn_ask_extras(gateway.request_features) is
'What a call may use beside text, for gateway.fn_hold_extras; NULL for nothing.';

create or replace function gateway.fn_is_special(p_features gateway.request_features) returns boolean
language sql immutable
return gateway.fn_ask_extras(p_features) is not null or (p_features).needs is not null
    or coalesce(lower((p_features).service_tier), 'auto') <> all('{auto,default,standard}');

comment on function gateway.fn_is_special(gateway.request_features) is
'Whether a call may use more than text, needs what not every provider can be told, or names a service tier: most do not,
and are decided without asking for it.';
