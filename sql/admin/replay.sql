create or replace function admin.replay(p_request_id uuid)
returns table (
    request_id uuid, decided_at timestamptz, is_same boolean, chosen_then text[], chosen_again text[], reason_then text,
    reason_again text
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_kept record := admin.fn_read_decision(p_request_id);
    v_choice gateway.route_choice := gateway.fn_decide(
        v_kept.principal, v_kept.features, v_kept.prompt_tokens, v_kept.decided_at,
        (v_kept.decision ->> 'seed')::bigint, (v_kept.decision ->> 'epoch')::bigint, v_kept.decision -> 'seen'
    );
begin
    request_id := p_request_id;
    decided_at := v_kept.decided_at;
    chosen_then := admin.fn_name_offers(v_kept.decision -> 'offers');
    chosen_again := admin.fn_name_offers(v_choice.record -> 'offers');
    reason_then := v_kept.route_reason;
    reason_again := coalesce(v_choice.reason, (v_choice.refusal).message);
    is_same := coalesce(
        v_choice.record -> 'offers' = v_kept.decision -> 'offers'
        and v_choice.record -> 'keys' is not distinct from v_kept.decision -> 'keys' and v_choice.reason = v_kept.route_reason, false
    );
    return next;
end
$$;

comment on function admin.replay(uuid) is
'Makes a past decision again, with the rules, prices, customer and health of then. It must choose the same; is_same says
whether it did.';

create or replace function admin.fn_name_offers(p_versions jsonb) returns text[]
language sql stable
set search_path = ''
begin atomic
    select array_agg(coalesce(
        o.provider_bk || '/' || o.model_bk, (p.was ->> 'provider_bk') || '/' || (p.was ->> 'model_bk')
    ) order by v.place)
    from jsonb_array_elements_text(p_versions) with ordinality as v (version, place)
    left join ops.offer as o on o.version = v.version::bigint
    left join ops.past as p on p.version = v.version::bigint and p.thing = 'offer';
end;

comment on function admin.fn_name_offers(jsonb) is 'Versions of offers as provider/model, in their order.';
