-- What was tried for a request stands with it, where it did not end at its first attempt: its decision is then read
-- from one row. Most requests end there, and carry no byte of it.
set local role onevault_owner;

alter table gateway.api_request_s
add column provider_chosen text, add column attempted_providers text[], add column attempt_outcomes text[];
comment on column gateway.api_request_s.provider_chosen is
'Provider that was chosen first; NULL where its first attempt succeeded, and for requests before this was kept, whose
hub knows.';
comment on column gateway.api_request_s.attempted_providers is
'Providers in the order in which they were tried; NULL where the first attempt succeeded, and for requests before this
was kept.';
comment on column gateway.api_request_s.attempt_outcomes is
'SUCCESS, or the class of the error, of each attempt in that order; NULL as attempted_providers.';
