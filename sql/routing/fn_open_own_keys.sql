-- A customer's own keys as a decision sees them: without those that rest now or, for a decision that is made again,
-- rested then, and those that a full limit of theirs closes to the call. Nearly always there is nothing to do.
create or replace function gateway.fn_open_own_keys(
    p_own_keys jsonb, p_now timestamptz, p_seen jsonb, p_closed text[]
) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_resting jsonb;
begin
    if p_seen is not null then
        v_resting := p_seen -> 'resting_keys';
    elsif p_closed is not null or exists (select from ops.key_health) then
        select jsonb_agg(k.key) into v_resting
        from (select distinct q.key #>> '{}' as key from jsonb_path_query(p_own_keys, '$.*.**.keys[*]') as q (key)) as k
        where
            'key:' || k.key = any(p_closed)
            or exists (
                select from ops.key_health as h
                where h.provider_key_hk = decode(k.key, 'hex') and h.rests_until > p_now
            );
    end if;
    if v_resting is null then
        return p_own_keys;
    end if;
    return (
        select jsonb_build_object('/resting', v_resting) || jsonb_object_agg(p.provider, jsonb_build_object(
            'any', gateway.fn_leave_out(p.picks -> 'any', v_resting), 'models', m.models
        ))
        from jsonb_each(p_own_keys) as p (provider, picks)
        cross join lateral (
            select coalesce(jsonb_object_agg(n.model, gateway.fn_leave_out(n.pick, v_resting)), '{}') as models
            from jsonb_each(p.picks -> 'models') as n (model, pick)
        ) as m
    );
end
$$;

comment on function gateway.fn_open_own_keys(jsonb, timestamptz, jsonb, text[]) is
'ops.principal.own_keys without the keys that rest or are closed; those stand under /resting, which is no provider''s
name.';

create or replace function gateway.fn_leave_out(p_pick jsonb, p_resting jsonb) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select case when p_pick <> 'null' then p_pick || jsonb_build_object(
        'keys', jsonb_agg(k.key order by k.place) filter (where not p_resting @> k.key)
    ) end
    from jsonb_array_elements(nullif(p_pick -> 'keys', 'null')) with ordinality as k (key, place);
end;

comment on function gateway.fn_leave_out(jsonb, jsonb) is 'The keys for an offer without those that rest.';

create or replace function gateway.fn_pick_own_keys(p_own_keys jsonb, p_provider text, p_model text) returns jsonb
language sql immutable
return coalesce(
    p_own_keys -> p_provider -> 'models' -> p_model, nullif(p_own_keys -> p_provider -> 'any', 'null')
);

comment on function gateway.fn_pick_own_keys(jsonb, text, text) is
'The own keys for an offer, {"keys": […] or null, "stays": …}; NULL where there is none for it.';
