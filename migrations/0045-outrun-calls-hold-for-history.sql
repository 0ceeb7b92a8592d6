-- By itself, since it reads all of history and lets bookings go on meanwhile.
set local role onevault_owner;

alter table gateway.api_request_attempt_s validate constraint error_class_is_known;
alter table gateway.api_request_attempt_s validate constraint who_was_outrun_is_never_charged;
