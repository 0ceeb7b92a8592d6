begin;
select plan(8);
insert into admin.provider (provider, api_endpoint, compliance_levels, needs_key)
values ('local', 'http://127.0.0.1:9/v1/', '{gdpr}', false);
select results_eq(
    $$select p.provider_name, p.adapter_kind, p.api_endpoint, p.compliance_levels, p.first_byte_timeout_ms, p.is_active
        from admin.provider as p where p.provider = 'local'$$,
    $$values ('local', 'openai', 'http://127.0.0.1:9/v1', '{GDPR}'::text[], 60000, true)$$, 'what is not given has a default'
);
insert into admin.model (provider, model) values ('local', 'tiny');
insert into admin.price (provider, model, meter, usd_per_million) values ('local', 'tiny', 'input', 1), ('local', 'tiny', 'output', 3);
select is((select (p.models_available, p.cost_per_1k_tokens, p.has_key)::text from admin.provider as p where p.provider = 'local'),
    '({tiny},0.002,f)', 'what follows from models and prices');
select test.make_customer('caller');
select is((test.route(sha256('caller/token'), '{"model": "local/tiny"}')).status, 'routed', 'calls go there');
update admin.provider set is_active = false where provider = 'local';
select is((test.route(sha256('caller/token'), '{"model": "local/tiny"}')).status, 'no_provider', 'not while it is switched off');
delete from admin.provider where provider = 'local';
select is_empty($$select from admin.model where provider = 'local'$$, 'deleted, its models are gone with it');
select is((test.route(sha256('caller/token'), '{"model": "tiny"}')).status, 'model_not_found', 'for callers too');
insert into admin.provider (provider, api_endpoint, needs_key) values ('local', 'http://127.0.0.1:9/v1', false);
select is((test.route(sha256('caller/token'), '{"model": "local/tiny"}')).status, 'routed', 'inserted again, they are back');
select is((select count(*) from admin.provider_history where provider = 'local'), 3::bigint, 'every version is kept');
select * from finish();
rollback;
