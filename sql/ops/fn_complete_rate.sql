create or replace function ops.fn_complete_rate(p_own jsonb, p_standard jsonb) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select p_standard || p_own || coalesce(jsonb_object_agg(m.meter, greatest(m.usd, m.other_usd)), '{}')
    from (
        select
            s.key as meter, s.value::numeric as usd,
            (p_own ->> case when s.key like 'output\_%' then 'output' else 'input' end)::numeric as other_usd
        from jsonb_each_text(p_standard) as s
        where
            s.key in (
                'cache_read', 'cache_write', 'cache_write_1h', 'input_audio', 'output_audio', 'cache_read_audio',
                'input_image', 'output_image'
            )
            and not p_own ? s.key and (p_own ->> 'input')::numeric > (p_standard ->> 'input')::numeric
    ) as m;
end;

comment on function ops.fn_complete_rate(jsonb, jsonb) is
'The prices of a service tier with what it takes over from the standard tier; the same where it is the standard one.';
