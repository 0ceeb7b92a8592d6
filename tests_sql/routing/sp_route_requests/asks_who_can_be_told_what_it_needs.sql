-- Mutants: a parameter that is dropped for a customer who keeps them, one that turns a provider away for another.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 1, 1), test.make_offer('other', 'model-a', 2, 2), test.make_offer('other', 'model-b', 2, 2);
update admin.provider set adapter_kind = 'anthropic' where provider = 'maker';
update admin.provider set adapter_settings = '{"responses": true}' where provider = 'other';
select test.make_customer('easy', '{"markup_percent": 0}'), test.make_customer('strict', '{"keeps_parameters": true}');
select test.make_customer('discreet', '{"compliance_level": "ZERO_RETENTION"}');
create function pg_temp.ask(p_customer text, p_features jsonb, p_model text default 'model-a') returns text language sql as $$
    select coalesce(d.provider, d.status || ' ' || d.message)
    from gateway.sp_route_requests(jsonb_build_array(jsonb_build_object(
        'digest', encode(sha256(convert_to(p_customer || '/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16), 'surface', 'chat',
        'capability', 'chat', 'prompt_bytes', 100, 'messages', 1, 'model', p_model
    ) || p_features), 'unix:/test', false) as d;
$$;
select is(pg_temp.ask('easy', '{}'), 'maker', 'the cheapest is asked');
select is(pg_temp.ask('easy', '{"parameters": ["seed"]}'), 'maker', 'though it knows no seed, which is left out');
select is(pg_temp.ask('strict', '{"parameters": ["seed"]}'), 'other', 'unless the customer keeps his parameters');
select is(pg_temp.ask('strict', '{"parameters": ["thinking"]}'), 'maker', 'each kind knows its own');
select is(pg_temp.ask('easy', '{"needs": ["n"]}'), 'other', 'several answers nobody can leave out');
select is(pg_temp.ask('easy', '{"needs": ["messages"]}'), 'maker', 'nor what only one grammar can say');
select is(
    pg_temp.ask('easy', '{"needs": ["messages"]}', 'model-b'),
    'invalid_request ''model-b'' cannot be told all that this call says (messages). Leave that out, or ask for another model.',
    'where nobody can be told, the customer is'
);
select is(pg_temp.ask('easy', '{"needs": ["storage"]}'), 'other', 'who wants it kept, gets it kept');
select is(
    pg_temp.ask('discreet', '{"needs": ["storage"]}'),
    'compliance_blocked `store` cannot be true: nothing of this call may be kept (ZERO_RETENTION).', 'but not against his own rule'
);
select * from finish();
rollback;
