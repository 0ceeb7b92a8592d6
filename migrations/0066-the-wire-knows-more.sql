-- Which of Anthropic's beta features a tenant's customers may use is the tenant's to say, beside the provider's own
-- list. A model may take no more than so many texts a call, and be served by some routes alone.
set local role onevault_owner;

alter table auth.tenant_s add column allowed_betas text[];
comment on column auth.tenant_s.allowed_betas is
'Names that its customers may send in anthropic-beta; NULL for all that the provider lets pass.';
alter table auth.tenant_s add constraint allowed_betas_are_names check (
    allowed_betas is null or array_to_string(allowed_betas, ',', ' ') ~ '^([0-9A-Za-z_.-]{1,100}(,|$)){0,100}$'
) not valid;
alter table ops.principal add column allowed_betas text[];

alter type gateway.request_features add attribute betas text[];

alter table gateway.offer_s add column max_inputs integer;
alter table gateway.offer_s add constraint max_inputs_is_positive check (max_inputs > 0) not valid;
comment on column gateway.offer_s.max_inputs is
'The most texts that it embeds in one call; NULL for what its provider is known to take.';
alter table ops.offer add column max_inputs integer;
update ops.offer as o
set max_inputs = case o.adapter_kind when 'cohere' then 96 when 'google' then 100 else 1000 end
where o.adapter_kind in ('cohere', 'google', 'voyage') and 'embedding' = any(o.capabilities);
-- Anthropic searches for chats, too; what is made of its offers from now on says so by itself.
update ops.offer as o set features = o.features || '{web_search_options}' where o.adapter_kind = 'anthropic';
alter type gateway.request_features add attribute inputs integer;
alter type gateway.request_features add attribute pictures integer[];

alter table gateway.offer_s add column surfaces text[];
alter table gateway.offer_s add constraint surfaces_are_known check (
    surfaces <@ '{chat,native,responses,messages,count_tokens}' and cardinality(surfaces) > 0
) not valid;
comment on column gateway.offer_s.surfaces is
'The routes by which it can be talked to, where not by all: {responses} for a model that only that API has.';
alter table ops.offer add column surfaces text[];

-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_estimate_prompt_tokens(bigint, integer, integer);
-- They are made anew, since what the first reads of a call has become more.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_score_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb, jsonb, boolean, jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb,
    jsonb, boolean, jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_read_call(
    gateway.request_features, bigint, numeric, text[], jsonb, jsonb
);
