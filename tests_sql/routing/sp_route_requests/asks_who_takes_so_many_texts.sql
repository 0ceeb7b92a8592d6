-- Mutants: a limit that is not asked, one that counts a call at its limit, one of texts for what is no list of texts.
begin;
select plan(11);
select test.make_offer('maker', 'model-e', 1, 1), test.make_offer('other', 'model-e', 2, 2), test.make_offer('maker', 'model-f', 1, 1);
update admin.provider set adapter_kind = 'cohere' where provider = 'maker';
update admin.model set capabilities = '{embedding}' where model in ('model-e', 'model-f');
select test.make_customer('caller', '{"markup_percent": 0}');
create function pg_temp.ask(p_inputs integer, p_model text default 'model-e', p_more jsonb default '{}') returns text language sql as $$
    select coalesce(d.provider, d.status || ' ' || d.message)
    from gateway.sp_route_requests(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'digest', encode(sha256(convert_to('caller/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16), 'surface', 'embeddings',
        'capability', 'embedding', 'prompt_bytes', 100, 'messages', 1, 'model', p_model, 'inputs', p_inputs
    ) || p_more)), 'unix:/test', false) as d;
$$;
select is((select array_agg(distinct o.max_inputs) from ops.offer as o where o.provider_bk = 'maker'), '{96}', 'Cohere takes 96 texts a call');
select is((select array_agg(distinct o.max_inputs) from ops.offer as o where o.provider_bk = 'other'), '{NULL}', 'of others none is known');
select is(pg_temp.ask(null), 'maker', 'one text goes to the cheapest');
select is(pg_temp.ask(96), 'maker', 'so do as many as it takes');
select is(pg_temp.ask(97), 'other', 'one more goes elsewhere');
select is(
    pg_temp.ask(97, 'model-f'),
    'invalid_request ''model-f'' takes 96 texts a call at most, this call has 97. Send fewer at a time, or ask for another model.',
    'or is refused before anybody is called'
);
select is((select count(*) from pgmq.q_standard), 3::bigint, 'and nothing is queued for it');
update admin.model set max_inputs = 10 where provider = 'other';
update admin.model set max_inputs = 200 where provider = 'maker' and model = 'model-f';
select is(pg_temp.ask(97, 'model-f'), 'maker', 'an operator knows better');
select is(
    pg_temp.ask(97), 'invalid_request ''model-e'' takes 96 texts a call at most, this call has 97. Send fewer at a time, or ask for another model.',
    'of several the most that any takes is told'
);
select is(
    (select r.reason from admin.explain_route('caller', '{"model": "model-e", "capability": "embedding", "inputs": 11}') as r where r.provider = 'other'),
    'dropped: it takes fewer texts a call', 'explain_route says so, too'
);
prepare broken as update admin.model set max_inputs = 0 where provider = 'other';
select throws_ok('broken', 'VG400', 'max_inputs must be above 0', 'a limit is a number of texts');
select * from finish();
rollback;
