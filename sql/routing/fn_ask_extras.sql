-- Who asks a maker of pictures and does not say how many gets one.
create or replace function gateway.fn_count_pictures(p_features gateway.request_features) returns integer
language sql immutable
return greatest((p_features).images_out, case when (p_features).capability = 'image' then 1 else 0 end);

comment on function gateway.fn_count_pictures(gateway.request_features) is
'How many pictures a call may be answered with.';

-- Pictures that are only looked at are most calls with pictures, and cost what text costs but at makers of pictures.
create or replace function gateway.fn_ask_extras(p_features gateway.request_features) returns jsonb
language sql immutable
return case
    when
        gateway.fn_count_pictures(p_features) > 0 or (p_features).searches > 0 or (p_features).audio_in
        or (p_features).audio_out or (p_features).cache_1h
        then jsonb_strip_nulls(jsonb_build_object(
            'images', case when (p_features).images > 0 then true end,
            'images_out', nullif(gateway.fn_count_pictures(p_features), 0),
            'image_variant', (p_features).image_variant, 'capability', (p_features).capability,
            'searches', nullif((p_features).searches, 0), 'audio_in', nullif((p_features).audio_in, false),
            'audio_out', nullif((p_features).audio_out, false), 'cache_1h', nullif((p_features).cache_1h, false)
        ))
end;

comment on function gateway.fn_ask_extras(gateway.request_features) is
'What a call may use beside text, for gateway.fn_hold_extras; NULL for nothing.';

create or replace function gateway.fn_name_tier(p_service_tier text) returns text
language sql immutable
return case
    when coalesce(lower(p_service_tier), 'auto') = any('{auto,default,standard,standard_only}') then 'standard'
    else lower(p_service_tier)
end;

comment on function gateway.fn_name_tier(text) is
'The service tier that a call asks for, as prices name it; standard where it leaves that to the provider.';

create or replace function gateway.fn_is_special(p_features gateway.request_features) returns boolean
language sql immutable
return gateway.fn_ask_extras(p_features) is not null or (p_features).needs is not null or (p_features).betas is not null
    or gateway.fn_name_tier((p_features).service_tier) <> 'standard';

comment on function gateway.fn_is_special(gateway.request_features) is
'Whether a call may use more than text, needs what not every provider can be told, or names a service tier: most do not,
and are decided without asking for it.';
