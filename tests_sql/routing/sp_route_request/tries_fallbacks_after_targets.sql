begin;
select plan(6);
select test.make_offer('maker', 'model-a', 9, 9);
select test.make_offer('rival', 'model-a', 8, 8);
select test.make_offer('maker', 'model-b', 1, 1);
select test.make_offer('third', 'model-c', 2, 2);
select test.make_offer('third', 'model-d', 0.1, 0.1);
select test.make_customer('caller');
create function test.tried(p_request jsonb default '{}') returns text[] language sql as $$
    select array(
        select e.provider || '/' || e.model from admin.explain_route('caller', p_request) as e where e.rank is not null order by e.rank
    )
$$;
insert into admin.routing_rule (rule_name, target_model, fallbacks, max_attempts) values ('a', 'model-a', '{third/model-c,model-b}', 10);
select is(test.tried(), '{rival/model-a,maker/model-a,third/model-c,maker/model-b}', 'the target''s offers, then each fallback in turn');
select is(test.tried('{"model": "model-d"}'), '{third/model-d}', 'a call that names its model gets no other');
update admin.routing_rule set max_attempts = 3 where rule_name = 'a';
select is(test.tried(), '{rival/model-a,maker/model-a,third/model-c}', 'within max_attempts');
update admin.routing_rule set target_model = null, target_provider = 'third', fallbacks = '{maker/model-b}' where rule_name = 'a';
select is(test.tried(), '{third/model-d,third/model-c,maker/model-b}', 'a target may be a provider');
insert into ops.offer_health (offer_hk, rests_until) values
(util.hash_key('third', 'model-c'), now() + interval '1 hour'), (util.hash_key('third', 'model-d'), now() + interval '1 hour');
select is(test.tried(), '{maker/model-b,third/model-d,third/model-c}', 'those that rest after failures come last');
create temporary table made as select d.* from test.route(sha256('caller/token')) as d;
select is((select r.candidates -> 0 ->> 'model' from ops.reservation as r), 'model-b', 'the road tries them so');
select * from finish();
rollback;
