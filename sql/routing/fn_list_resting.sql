-- Versions of offers that rest: now, or those that a decision saw resting.
create or replace function gateway.fn_list_resting(p_now timestamptz, p_seen jsonb) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
begin
    if p_seen is not null then
        return coalesce(p_seen -> 'resting', '[]');
    end if;
    if not exists (select from ops.offer_health as h where h.rests_until > p_now) then
        return '[]';
    end if;
    return (
        select coalesce(jsonb_agg(o.version order by o.version), '[]')
        from ops.offer_health as h
        inner join ops.offer as o on h.offer_hk = o.offer_hk
        where h.rests_until > p_now and o.valid_from <= p_now and o.valid_to > p_now
    );
end
$$;

comment on function gateway.fn_list_resting(timestamptz, jsonb) is
'The offers that are tried last because they failed repeatedly, by version, as a JSON list.';
