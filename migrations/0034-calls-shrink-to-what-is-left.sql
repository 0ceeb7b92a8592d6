-- A call that may cost more than is left gets a shorter answer instead of a refusal.
set local role onevault_owner;

alter type gateway.request_features add attribute room_usd numeric;

-- They tell more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_choose_candidates(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_score_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb
);
