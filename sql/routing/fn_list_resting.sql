-- Versions of offers that rest: now, or those that a decision saw resting. An offer rests after failures, when another
-- call is already trying whether it has recovered, when its provider has had what it allows a minute, and when all its
-- keys were refused. The last two are the house's troubles: what goes by a customer's own key does not mind them.
create or replace function gateway.fn_list_resting(
    p_now timestamptz, p_seen jsonb, p_own_keys jsonb, p_features gateway.request_features, p_prompt_tokens bigint
) returns jsonb
language plpgsql
stable
set search_path = ''
as $$
declare
    v_full bytea[];
    v_calls jsonb;
    v_dead bytea[];
    v_tokens bigint;
    v_tiers text[];
begin
    if p_seen is not null then
        return coalesce(p_seen -> 'resting', '[]');
    end if;
    if not exists (select from ops.provider_rate) and not exists (
        select from ops.offer_health as h where h.rests_until is not null
    ) and not exists (select from ops.key_health) then
        return '[]';
    end if;
    v_tokens := greatest(p_prompt_tokens * case when p_features.is_strict then 2 else 1 end, 1);
    v_tiers := array['standard', gateway.fn_name_tier(p_features.service_tier)];
    v_dead := array(select k.provider_key_hk from ops.key_health as k where k.rests_until > p_now);
    v_full := gateway.fn_list_full_providers(p_now);
    v_calls := gateway.fn_calls_in_batch();
    return (
        select coalesce(jsonb_agg(o.version order by o.version), '[]')
        from ops.offer as o
        left join ops.offer_health as h on o.offer_hk = h.offer_hk
        where
            o.valid_from <= p_now and o.valid_to > p_now
            -- The rows that such a call may be priced by, since what is seen is kept with it.
            and o.service_tier = any(v_tiers) and o.above_tokens < v_tokens and o.up_to_tokens >= v_tokens
            and (o.unroutable_because is null or o.unroutable_because = 'no_key' and p_own_keys is not null)
            and (
                h.rests_until > p_now or h.consecutive_failures >= 3 and v_calls ? encode(h.offer_hk, 'hex')
                or (
                    o.provider_hk = any(v_full)
                    or o.provider_key_hk = any(v_dead) and not exists (
                        select from jsonb_array_elements_text(coalesce(o.candidate -> 'spare_keys', '[]')) as k (key_hk)
                        where decode(k.key_hk, 'hex') <> all(v_dead)
                    )
                ) and case
                    when p_own_keys is null or not p_own_keys ? o.provider_bk then true
                    else coalesce(
                        gateway.fn_pick_own_keys(p_own_keys, o.provider_bk, o.model_bk) -> 'keys', 'null'
                    ) = 'null'
                end
            )
    );
end
$$;

comment on function gateway.fn_list_resting(timestamptz, jsonb, jsonb, gateway.request_features, bigint) is
'The offers that are tried last because they failed repeatedly or their provider''s limit is reached, by version, as a
JSON list.';
