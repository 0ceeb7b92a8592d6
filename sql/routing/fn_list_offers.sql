-- Offers at their prices of a moment, of now or of an epoch, inlined into what asks for them. The epoch stands with each
-- half's conditions, so that the half that is not asked for is no part of the plan.
create or replace function gateway.fn_list_offers(
    p_now timestamptz, p_provider text, p_model text, p_targets text[], p_epoch bigint
) returns setof ops.offer
language sql stable
begin atomic
    select o.*
    from ops.offer as o
    where
        p_epoch is null and o.valid_from <= p_now and o.valid_to > p_now
        -- One plan for both: a model is a range of one, no model the whole index.
        and o.model_bk >= coalesce(p_model, '') and o.model_bk <= coalesce(p_model, chr(1114111))
        and (p_provider is null or o.provider_bk = p_provider)
        and coalesce(p_targets && array[o.model_bk, o.provider_bk || '/' || o.model_bk, o.provider_bk || '/*'], true)
    union all
    select t.*
    from gateway.fn_offers_at(p_epoch) as t
    where
        p_epoch is not null and t.valid_from <= p_now and t.valid_to > p_now
        and t.model_bk >= coalesce(p_model, '') and t.model_bk <= coalesce(p_model, chr(1114111))
        and (p_provider is null or t.provider_bk = p_provider)
        and coalesce(p_targets && array[t.model_bk, t.provider_bk || '/' || t.model_bk, t.provider_bk || '/*'], true);
end;

comment on function gateway.fn_list_offers(timestamptz, text, text, text[], bigint) is
'The offers that a call can mean by what it names and a rule''s targets, a row for each service tier and range of tokens.';
