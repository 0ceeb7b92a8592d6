-- What rests is listed for the service tier and the range of tokens of a call, so that no more is kept with it.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_list_resting(timestamptz, jsonb, jsonb);
