-- It returns a number from now on.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists ops.fn_rebuild_hot_state();
