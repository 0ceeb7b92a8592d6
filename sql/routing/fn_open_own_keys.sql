-- A customer's own keys as a decision sees them: those marked that rest now, or, for a decision that is made again,
-- those that rested then.
create or replace function gateway.fn_open_own_keys(p_own_keys jsonb, p_now timestamptz, p_seen jsonb) returns jsonb
language sql stable
set search_path = ''
begin atomic
    select jsonb_object_agg(p.provider, k.keys)
    from jsonb_each(p_own_keys) as p (provider, keys)
    cross join lateral (
        select jsonb_agg(
            case
                when p_seen is not null and p_seen -> 'resting_keys' ? (o.own ->> 'key') then o.own || '{"rests": true}'
                when p_seen is null and h.rests_until > p_now then o.own || '{"rests": true}'
                else o.own
            end order by o.place
        ) as keys
        from jsonb_array_elements(p.keys) with ordinality as o (own, place)
        left join ops.key_health as h on p_seen is null and h.provider_key_hk = decode(o.own ->> 'key', 'hex')
    ) as k;
end;

comment on function gateway.fn_open_own_keys(jsonb, timestamptz, jsonb) is
'ops.principal.own_keys with {"rests": true} in those that are set aside.';

create or replace function gateway.fn_list_resting_keys(p_own_keys jsonb) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_agg(o.own -> 'key' order by o.own ->> 'key')
    from jsonb_each(p_own_keys) as p (provider, keys)
    cross join lateral jsonb_array_elements(p.keys) as o (own)
    where o.own ? 'rests';
end;

comment on function gateway.fn_list_resting_keys(jsonb) is
'Which own keys a decision saw resting, to be kept with it; NULL for none.';
