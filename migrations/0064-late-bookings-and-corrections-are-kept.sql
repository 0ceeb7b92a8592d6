set local role onevault_owner;

-- They take or tell more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_recharge(gateway.api_request_s, numeric, numeric, boolean);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_reprice_attempts(date, bytea);
