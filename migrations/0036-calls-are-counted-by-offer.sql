-- They take more from now on.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_begin_counting();
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_count_call(bytea);
