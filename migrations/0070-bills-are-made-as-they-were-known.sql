-- A draft is made by what was closed, invoiced, corrected and granted at its moment, not by what became of it since.
set local role onevault_owner;

-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_make_invoice(bytea, text, date, timestamptz, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_draft_lines(bytea, text, date, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_list_late_charges(bytea, date, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_list_old_charges(bytea, date);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_list_daily_charges(bytea, text, date, numeric, numeric);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_apply_credits(bytea, text, jsonb, numeric);
