-- By itself, since it reads all of history.
set local role onevault_owner;

alter table gateway.usage_event_l validate constraint event_tells_of_something;
