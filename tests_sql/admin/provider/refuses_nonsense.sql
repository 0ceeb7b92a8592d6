begin;
select plan(12);
insert into admin.provider (provider, api_endpoint) values ('local', 'http://127.0.0.1:9/v1');
select throws_ok($$insert into admin.provider (provider, api_endpoint) values ('LOCAL', 'http://x')$$, 'VG409', null, 'a taken name');
select throws_ok($$insert into admin.provider (provider, api_endpoint) values ('a/b', 'http://x')$$, 'VG400',
    'A provider''s name has neither slashes nor spaces', 'a name with a slash');
select throws_ok($$insert into admin.provider (provider) values ('new')$$, 'VG400', 'api_endpoint cannot be NULL', 'no endpoint');
select throws_ok($$insert into admin.provider (provider, api_endpoint) values ('new', 'ftp://x')$$, 'VG400',
    'This endpoint is no http address', 'another protocol');
select throws_ok($$insert into admin.provider (provider, api_endpoint) values ('new', 'in-process')$$, 'VG400',
    'Only the sandbox runs in-process', 'in-process, and no sandbox');
select throws_ok($$insert into admin.provider (provider, api_endpoint, adapter_kind) values ('new', 'http://x', 'telex')$$,
    'VG400', 'There is no adapter of the kind ''telex''', 'an unknown adapter');
select throws_ok($$insert into admin.provider (provider, api_endpoint, has_key) values ('new', 'http://x', true)$$, 'VG400',
    'has_key cannot be set here', 'what follows from something else');
select throws_ok($$update admin.provider set requests_per_minute_limit = 0 where provider = 'local'$$, 'VG400', null, 'a limit of nothing');
select throws_ok($$update admin.provider set adapter_settings = '[]' where provider = 'local'$$, 'VG400', null, 'settings that are a list');
select throws_ok(
    $$update admin.provider set adapter_settings = '{"max_token_field": "max_tokens"}' where provider = 'local'$$,
    'VG400', 'adapter_settings of kind openai have no ''max_token_field''', 'a setting that nobody reads'
);
select throws_ok(
    $$update admin.provider set adapter_settings = '{"stream_usage": "no"}' where provider = 'local'$$,
    'VG400', 'stream_usage of adapter_settings is no boolean', 'a setting of another type'
);
select lives_ok(
    $$update admin.provider set adapter_settings = '{"stream_usage": false, "region": "eu"}' where provider = 'local'$$, 'what is read is taken'
);
select * from finish();
rollback;
