-- A provider or a model may belong to one customer: nobody else's calls see it. And a call may need what not every
-- provider can be told; whether a parameter may be left out where one cannot, is the customer's to say.
set local role onevault_owner;

alter table gateway.ai_provider_s add column owner_hk bytea;
comment on column gateway.ai_provider_s.owner_hk is
'The customer whose own server this is; NULL for a provider of the house. Workers are careful where they find it.';
alter table gateway.offer_s add column owner_hk bytea;
comment on column gateway.offer_s.owner_hk is
'The customer whose model this is, such as one tuned for it; NULL for all.';
alter table ops.offer add column owner_hk bytea;

alter table gateway.customer_config_s add column keeps_parameters boolean not null default false;
comment on column gateway.customer_config_s.keeps_parameters is
'True: providers that cannot be told all of a call''s parameters are not asked; false: what they cannot be told is left
out, and the answer says so.';
-- squawk-ignore adding-field-with-default
alter table ops.principal add column keeps_parameters boolean not null default false;

alter type gateway.request_features add attribute needs text[];
alter type gateway.request_features add attribute parameters text[];
alter type gateway.request_features add attribute caller_hk bytea;
