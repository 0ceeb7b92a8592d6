-- Mutants: a tenant's list that is not asked, a provider's that counts for every tenant, a name that is kept where nothing is left out.
begin;
select plan(14);
select test.make_offer('maker', 'model-a', 1, 1), test.make_offer('other', 'model-b', 2, 2), test.make_offer('choosy', 'model-c', 2, 2);
update admin.provider set adapter_kind = 'anthropic' where provider in ('maker', 'choosy');
update admin.provider set adapter_settings = '{"betas": ["beta-1", "beta-2"]}' where provider = 'choosy';
select test.make_customer('easy', '{}', 'open'), test.make_customer('strict', '{"keeps_parameters": true}', 'open');
select test.make_customer('bound', '{}', 'closed'), test.make_customer('both', '{"keeps_parameters": true}', 'closed');
update admin.tenant set allowed_betas = '{" beta-2", beta-3, beta-3}' where tenant = 'closed';
create function pg_temp.ask(p_customer text, p_betas text, p_model text) returns jsonb language plpgsql as $$
declare
    v_said record;
begin
    select d.* into v_said
    from gateway.sp_route_requests(jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'digest', encode(sha256(convert_to(p_customer || '/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16), 'surface', 'messages',
        'capability', 'chat', 'prompt_bytes', 100, 'messages', 1, 'model', p_model, 'betas', string_to_array(p_betas, ' ')
    ))), 'unix:/test', false) as d;
    return jsonb_build_object('said', coalesce(v_said.provider, v_said.message), 'candidates', (
        select q.message -> 'candidates' from pgmq.q_standard as q where q.message ->> 'request' = v_said.request_id
    ));
end
$$;
create function pg_temp.told(p_customer text, p_betas text, p_model text default 'model-a') returns jsonb language sql as $$
    select pg_temp.ask(p_customer, p_betas, p_model) -> 'candidates' -> 0 -> 'betas'
$$;
create function pg_temp.said(p_customer text, p_betas text, p_model text default 'model-a') returns text language sql as $$
    select pg_temp.ask(p_customer, p_betas, p_model) ->> 'said'
$$;
select is((select t.allowed_betas from admin.tenant as t where t.tenant = 'closed'), '{beta-2,beta-3}', 'a list is kept clean');
select is(pg_temp.told('easy', 'beta-1 beta-9'), null, 'without lists nothing is left out, and nothing of it is in the queue');
select is(pg_temp.told('bound', 'beta-1 beta-3 beta-2'), '["beta-3", "beta-2"]', 'a tenant''s list lets pass what is on it, in the order named');
select is(pg_temp.told('bound', 'beta-2'), null, 'all of it may be enough');
select is(pg_temp.told('bound', null), null, 'who names none is asked nothing');
select is(pg_temp.told('easy', 'beta-3 beta-1', 'model-c'), '["beta-1"]', 'a provider''s list does, too');
select is(pg_temp.told('bound', 'beta-1 beta-2 beta-3', 'model-c'), '["beta-2"]', 'with both lists, what stands on both');
select is(pg_temp.told('easy', 'beta-1', 'model-b'), '[]', 'no other kind of server has any');
select is(pg_temp.said('strict', 'beta-9'), 'maker', 'who wants nothing left out is served where nothing is');
select is(
    pg_temp.said('strict', 'beta-1', 'model-b'),
    '''model-b'' cannot be told all that this call says (anthropic-beta). Leave that out, or ask for another model.',
    'and refused where something would be'
);
select is(
    pg_temp.said('strict', 'beta-3', 'model-c'),
    '''model-c'' cannot be told all that this call says (anthropic-beta). Leave that out, or ask for another model.', 'so by a list'
);
select is(
    pg_temp.said('both', 'beta-1'),
    'Beta features that may not be used here are asked for in anthropic-beta, and nothing may be left out. Allowed: beta-2, beta-3.',
    'and by the tenant''s'
);
update admin.tenant set allowed_betas = '{}' where tenant = 'closed';
select is(pg_temp.told('bound', 'beta-2'), '[]', 'an empty list lets nothing pass');
prepare broken as update admin.tenant set allowed_betas = '{"two words"}' where tenant = 'closed';
select throws_ok('broken', 'VG400', 'One of these is no beta feature''s name, or there are more than a hundred', 'a name is one word');
select * from finish();
rollback;
