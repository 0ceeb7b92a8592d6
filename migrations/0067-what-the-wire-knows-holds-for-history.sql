-- The rules of allowed betas, of most inputs and of surfaces hold for every version there is: until now none had any.
set local role onevault_owner;

alter table auth.tenant_s validate constraint allowed_betas_are_names;
alter table gateway.offer_s validate constraint max_inputs_is_positive;
alter table gateway.offer_s validate constraint surfaces_are_known;
