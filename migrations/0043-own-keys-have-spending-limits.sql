-- What customers let their own keys spend is kept like every other limit.
set local role onevault_owner;

alter table ops.usage_limit add column provider_key_hk bytea;
comment on column ops.usage_limit.provider_key_hk is
'The customer''s own key that the limit is of; NULL for limits of admin.usage_limit.';

-- They take more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_check_limits(
    ops.principal, gateway.route_choice, gateway.request_features, bigint, timestamptz
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_charge_limits(jsonb, gateway.api_request_s);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_open_own_keys(jsonb, timestamptz, jsonb);
