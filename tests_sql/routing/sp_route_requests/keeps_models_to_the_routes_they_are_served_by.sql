-- Mutants: a route that is not asked for, a list that counts for models without one, one that leaves no way open.
begin;
select plan(10);
select test.make_offer('maker', 'model-pro', 1, 1), test.make_offer('maker', 'model-a', 2, 2), test.make_offer('reseller', 'model-pro', 9, 9);
update admin.provider set adapter_settings = '{"responses": true}' where provider = 'maker';
update admin.model set surfaces = '{Responses}' where provider = 'maker' and model = 'model-pro';
update admin.model set is_active = false where provider = 'reseller';
select test.make_customer('caller', '{"markup_percent": 0}');
create function pg_temp.ask(p_surface text, p_model text default 'model-pro') returns text language sql as $$
    select coalesce(d.provider || '/' || d.model, d.status || ' ' || d.message)
    from gateway.sp_route_requests(jsonb_build_array(jsonb_build_object(
        'digest', encode(sha256(convert_to('caller/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16), 'surface', p_surface,
        'capability', 'chat', 'prompt_bytes', 100, 'messages', 1, 'model', p_model
    )), 'unix:/test', false) as d;
$$;
select is((select m.surfaces from admin.model as m where m.provider = 'maker' and m.model = 'model-pro'), '{responses}', 'words are taken in any case');
select is(pg_temp.ask('responses'), 'maker/model-pro', 'a model that only Responses has is reached by that route');
select is(
    pg_temp.ask('chat'),
    'invalid_request ''model-pro'' is not served by this route, but by /v1/responses. Ask there, or for another model.', 'by no other'
);
select is(
    pg_temp.ask('messages'),
    'invalid_request ''model-pro'' is not served by this route, but by /v1/responses. Ask there, or for another model.', 'whichever it is'
);
select is(pg_temp.ask('chat', 'model-a'), 'maker/model-a', 'others are served by every route');
select is(pg_temp.ask('responses', 'auto'), 'maker/model-pro', 'who names none may get it there');
select is(pg_temp.ask('chat', 'auto'), 'maker/model-a', 'and not here, though it is the cheapest');
update admin.model set is_active = true where provider = 'reseller';
select is(pg_temp.ask('chat'), 'reseller/model-pro', 'who serves it by that route is asked');
select is(
    (select r.reason from admin.explain_route('caller', '{"model": "maker/model-pro", "surface": "chat"}') as r where r.provider = 'maker'),
    'dropped: it is not served by this route', 'explain_route says so, too'
);
prepare broken as update admin.model set surfaces = '{telephone}' where provider = 'maker';
select throws_ok('broken', 'VG400', 'One of these routes is not known, or there is none', 'a route is one of those there are');
select * from finish();
rollback;
