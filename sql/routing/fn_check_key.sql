-- What became of an earlier call under this key. One that answered or was charged is told by its receipt and never made
-- again; one that failed and cost nothing leaves the key free, since a retry of it is what keys are for.
create or replace function gateway.fn_check_key(p_principal ops.principal, p_request jsonb, p_now timestamptz)
returns gateway.route_decision
language plpgsql
set search_path = ''
as $$
declare
    v_pairs jsonb := p_request -> 'idempotency';
    v_key record;
    v_receipt jsonb;
begin
    select k.api_request_hk, k.body_digest = decode(g.pair ->> 1, 'hex') as is_same
    into v_key
    from jsonb_array_elements(v_pairs) as g (pair)
    inner join ops.idempotency_key as k
        on k.key_digest = decode(g.pair ->> 0, 'hex') and k.customer_hk = p_principal.customer_hk
    order by k.api_request_hk nulls last
    limit 1;
    if not found then
        -- A call by hand; the batch door has taken its keys before.
        perform gateway.fn_lock_keys(
            jsonb_build_array(p_request || jsonb_build_object('digest', encode(p_principal.token_digest, 'hex'))), p_now
        );
        return gateway.fn_check_key(p_principal, p_request, p_now);
    end if;
    if v_key.api_request_hk is null then
        return null;
    end if;
    if not v_key.is_same then
        return gateway.fn_refuse(
            'idempotency_mismatch', 422,
            'This Idempotency-Key was used for another body within the last 24 hours. Use a new key for a new call.'
        );
    end if;
    v_receipt := gateway.fn_read_receipt(v_key.api_request_hk, p_principal.customer_hk, false);
    if v_receipt is null then
        return gateway.fn_refuse(
            'idempotency_conflict', 409,
            'A call with this Idempotency-Key is under way. It is not made twice; ask again when it is over.',
            jsonb_build_object('request', jsonb_build_object(
                'request_id', encode(v_key.api_request_hk, 'hex')::uuid, 'status', 'IN_FLIGHT', 'cost', null
            )), 1000
        );
    end if;
    if v_receipt ->> 'status' <> 'SUCCESS' and (v_receipt #>> '{cost,customer}')::numeric = 0 then
        update ops.idempotency_key as k set
            api_request_hk = null, body_digest = decode(g.pair ->> 1, 'hex'), expires_at = p_now + interval '24 hours'
        from jsonb_array_elements(v_pairs) as g (pair)
        where k.key_digest = decode(g.pair ->> 0, 'hex') and k.customer_hk = p_principal.customer_hk;
        return null;
    end if;
    return gateway.fn_refuse(
        'idempotency_conflict', 409,
        'A call with this Idempotency-Key was made and booked; this is its receipt. Answers are never kept, so none can '
        'be given again. Use a new key for a new call.',
        jsonb_build_object('request', v_receipt - 'settled' || jsonb_build_object('cost', jsonb_build_object(
            'provider', (v_receipt #>> '{cost,provider}')::numeric, 'markup', (v_receipt #>> '{cost,markup}')::numeric,
            'customer', (v_receipt #>> '{cost,customer}')::numeric, 'currency', 'USD'
        )))
    );
end
$$;

comment on function gateway.fn_check_key(ops.principal, jsonb, timestamptz) is
'Null when a call may be made under its idempotency key; else the refusal: in flight, done (with receipt), or another
body.';
