-- The rules of 0020 for what was booked before them.
set local role onevault_owner;

alter table gateway.api_request_s validate constraint response_status_is_known;
alter table gateway.api_request_s validate constraint only_what_is_settled_is_charged;
alter table gateway.api_request_attempt_s validate constraint outcome_is_known;
alter table gateway.api_request_attempt_s validate constraint unknown_is_never_charged;
