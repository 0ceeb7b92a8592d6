-- By itself, since it reads all of history.
set local role onevault_owner;

alter table gateway.ai_provider_s validate constraint tolerance_is_not_negative;
