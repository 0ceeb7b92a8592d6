-- A front that gives a message back tells how much of its answer had been delivered. Calls with three arguments, of
-- fronts that are older, find the new function by its default.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_reclaim_message(text, bigint, integer);
