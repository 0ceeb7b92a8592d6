-- Which of Anthropic's beta features a tenant's customers may use is the tenant's to say, beside the provider's own list.
set local role onevault_owner;

alter table auth.tenant_s add column allowed_betas text[];
comment on column auth.tenant_s.allowed_betas is
'Names that its customers may send in anthropic-beta; NULL for all that the provider lets pass.';
alter table auth.tenant_s add constraint allowed_betas_are_names check (
    allowed_betas is null or array_to_string(allowed_betas, ',', ' ') ~ '^([0-9A-Za-z_.-]{1,100}(,|$)){0,100}$'
) not valid;
alter table ops.principal add column allowed_betas text[];

alter type gateway.request_features add attribute betas text[];
