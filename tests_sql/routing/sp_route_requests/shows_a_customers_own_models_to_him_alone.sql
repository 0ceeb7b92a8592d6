-- Mutants: a private offer for all, for auto alone, in the list of models; an endpoint that is no https.
begin;
select plan(10);
select test.make_offer('house', 'model-a', 5, 5);
select test.make_customer('owner', '{"markup_percent": 0}'), test.make_customer('neighbour', '{"markup_percent": 0}');
insert into admin.provider (provider, customer, api_endpoint, needs_key) values ('theirs', 'Owner', 'https://models.example.com/v1', false);
insert into admin.model (provider, model) values ('theirs', 'own-model');
insert into admin.model (provider, model, customer) values ('house', 'tuned-model', 'owner');
insert into admin.price (provider, model, meter, usd_per_million)
select m.provider, m.model, p.meter, 1 from (values ('theirs', 'own-model'), ('house', 'tuned-model')) as m (provider, model)
cross join (values ('input'), ('output')) as p (meter);
create function pg_temp.ask(p_customer text, p_model text) returns text language sql as $$
    select coalesce(d.model, d.status) from gateway.sp_route_requests(jsonb_build_array(jsonb_build_object(
        'digest', encode(sha256(convert_to(p_customer || '/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16), 'surface', 'chat',
        'capability', 'chat', 'prompt_bytes', 100, 'messages', 1, 'model', p_model
    )), 'unix:/test', false) as d;
$$;
select is(pg_temp.ask('owner', 'own-model'), 'own-model', 'a customer reaches his own server');
select is(pg_temp.ask('owner', 'tuned-model'), 'tuned-model', 'and his own model at a provider of the house');
select is(pg_temp.ask('neighbour', m.model), 'model_not_found', 'nobody else knows of it: ' || m.model)
from (values ('own-model'), ('tuned-model')) as m (model);
select is(pg_temp.ask('neighbour', 'auto'), 'model-a', 'nor is sent there when the gateway chooses');
select is(
    (select string_agg(m ->> 'id', ',' order by m ->> 'id') from jsonb_array_elements(gateway.sp_list_models(sha256(c.token)) #> '{body,data}') as m
        where m #>> '{owned_by}' <> 'sandbox'), c.models, 'the list of models knows whose they are'
)
from (values ('owner/token'::bytea, 'model-a,own-model,tuned-model'), ('neighbour/token', 'model-a')) as c (token, models);
select is(m.message #> '{candidates,0,guarded}', 'true', 'workers are told to look where his server is')
from (select q.message from pgmq.q_standard as q where q.message #>> '{candidates,0,model}' = 'own-model') as m;
select is(count(*), 0::bigint, 'of an offer of the house they are not') from pgmq.q_standard as q where q.message #> '{candidates,0,guarded}' is not null
    and q.message #>> '{candidates,0,provider}' = 'house';
select throws_ok(
    $$insert into admin.provider (provider, customer, api_endpoint) values ('plain', 'owner', 'http://models.example.com/v1')$$,
    'VG400', 'A customer''s own server is reached by https only', 'an address without https is refused'
);
select * from finish();
rollback;
