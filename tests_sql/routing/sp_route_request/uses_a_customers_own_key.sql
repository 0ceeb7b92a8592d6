-- Mutants: another customer's key, the house's key first, an own key for a model it is not for, a hold without what the
-- house's key may cost, an own key that is tried while it rests, an unknown price that counts as nothing, a decision that
-- is made again as if no key had rested.
begin;
select plan(32);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_offer('rival', 'model-a', 2, 2);
select test.make_provider('closed', '{"needs_key": true}');
select test.make_offer('closed', 'model-b', 1, 1);
select test.make_offer('closed', 'model-c', null, null);
select test.make_customer('caller', '{"markup_percent": 20}');
select test.make_customer('other', '{"markup_percent": 20}');
select admin.sp_set_provider_key('maker', null, 'default', sha256('house'), '\x01', 'k1', false);
create function pg_temp.own(p_provider text, p_customer text default 'caller', p_name text default null) returns text
language sql as $$
    select encode(admin.sp_identify_provider_key(p_provider, p_customer, p_name), 'hex');
$$;
create function pg_temp.house() returns text language sql as $$
    select encode(admin.sp_identify_provider_key('maker', null, 'default'), 'hex');
$$;
create function pg_temp.set_key(p_provider text, p_name text default null) returns void language sql as $$
    select admin.sp_set_provider_key(
        p_provider, 'caller', p_name, sha256(convert_to(p_provider || coalesce(p_name, ''), 'UTF8')), '\x02', 'k1', false
    );
$$;
create function pg_temp.sent(p_request text) returns jsonb language sql as $$
    select q.message -> 'candidates' from pgmq.q_standard as q where q.message ->> 'request' = p_request;
$$;
create function pg_temp.explain(p_request jsonb, p_customer text default 'caller') returns setof text language sql as $$
    select concat_ws(' ', e.provider || '/' || e.model, e.uses_key, e.worst_case_cost_usd, e.reason)
    from admin.explain_route(p_customer, p_request || '{"seed": 1}') as e;
$$;
create temporary table made as select * from test.route(sha256('caller/token'), '{"model": "model-a", "max_output_tokens": 1000}');
select is(
    c.candidate ->> 'key', pg_temp.house(), 'without a key of his own, the house''s'
)
from made as m cross join lateral jsonb_array_elements(pg_temp.sent(m.request_id)) with ordinality as c (candidate, place)
where c.place = 1;
select is(p.own_keys, null, 'and nothing to look at') from ops.principal as p where p.customer_bk = 'caller';
select is((test.route(sha256('caller/token'), '{"model": "model-b"}')).status, 'no_provider', 'a provider without any key is no provider');

select pg_temp.set_key('rival');
create temporary table decided as
select d.* from test.route(sha256('caller/token'), '{"model": "model-a", "max_output_tokens": 1000}') as d;
create temporary table own as
select d.*, pg_temp.sent(d.request_id) as sent, r.held_usd
from decided as d
inner join ops.reservation as r on r.api_request_hk = uuid_send(d.request_id::uuid);
select is(o.provider, 'rival', 'he pays the fee alone there: it is the cheapest, dear as it is') from own as o;
select is(o.sent #>> '{0,key}', pg_temp.own('rival'), 'called with his key') from own as o;
select is(o.sent #> '{0,spare_keys}', '[null]', 'and after it as the house calls it: it needs no key') from own as o;
select is(o.sent #> '{0,own_keys}', to_jsonb(array[pg_temp.own('rival')]), 'and is told which key is his') from own as o;
select is(
    o.held_usd,
    ceil((1000 + m.tokens) * 2 * 1.2 * 10000) / 10000000000, 'held is what the house''s key may cost'
)
from own as o
cross join gateway.fn_estimate_prompt_tokens(100, 0, 1) as m (tokens);
select is((test.route(sha256('other/token'), '{"model": "model-a"}')).provider, 'maker', 'nobody else goes by it');
select unalike(pg_temp.sent(d.request_id)::text, '%' || pg_temp.own('rival') || '%', 'nor is sent with it')
from test.route(sha256('other/token'), '{"model": "model-a"}') as d;
select is(
    array(
        select e.line from pg_temp.explain('{"model": "model-a", "prompt_tokens": 1000, "max_output_tokens": 1000}') as e (line)
        order by e.line
    ),
    array[
        'maker/model-a house 0.0024 tried as number 2, if those before it fail',
        'rival/model-a own, then house 0.0048 default: cheapest offer of the model'
    ], 'explain_route says whose key'
);

update admin.provider_key set falls_back = false where customer = 'caller' and provider = 'rival';
select is(
    array(select pg_temp.explain('{"model": "rival/model-a", "prompt_tokens": 1000, "max_output_tokens": 1000}')),
    array['rival/model-a own 0.0008 default: model and provider asked for'],
    'without a fall-back the fee is all that is held'
);
select is(
    (test.route(sha256('caller/token'), '{"model": "rival/model-a", "max_output_tokens": 1000, "max_cost": 0.00001}')).status,
    'max_cost_too_low', 'the fee counts against max_cost'
);
update admin.provider_key set falls_back = true where customer = 'caller' and provider = 'rival';
select is(
    pg_temp.sent((test.route(
        sha256('caller/token'), '{"model": "rival/model-a", "max_output_tokens": 1000, "max_cost": 0.001}'
    )).request_id) #> '{0,spare_keys}', '[]', 'where the house''s price is above max_cost, its key does not follow'
);
select is(
    (test.route(sha256('caller/token'), '{"model": "rival/model-a", "max_output_tokens": 1000, "max_cost": 0.001}')).detail,
    null, 'nor is the answer shortened for its sake'
);

select pg_temp.set_key('closed');
select is((test.route(sha256('caller/token'), '{"model": "model-b"}')).provider, 'closed', 'where only he has a key, he is served');
select is((test.route(sha256('other/token'), '{"model": "model-b"}')).status, 'no_provider', 'and he alone');
select is((test.route(sha256('caller/token'), '{"model": "model-c"}')).status, 'no_provider', 'but for no unknown price');
update admin.provider_key set allowed_models = '{closed/model-c}' where customer = 'caller' and provider = 'closed';
select is((test.route(sha256('caller/token'), '{"model": "model-b"}')).status, 'no_provider', 'a key is for its models only');

select pg_temp.set_key('rival', 'second');
select is(
    pg_temp.sent((test.route(sha256('caller/token'), '{"model": "model-a"}')).request_id) #> '{0,own_keys}',
    to_jsonb(array[pg_temp.own('rival', p_name => 'second'), pg_temp.own('rival')]), 'the one set last comes first'
);
create temporary table kept as select d.* from test.route(sha256('caller/token'), '{"model": "model-a"}') as d;
insert into ops.key_health (provider_key_hk, refusals, last_error_class, last_refused_at, rests_until)
values (decode(pg_temp.own('rival', p_name => 'second'), 'hex'), 1, 'auth_dead', now(), now() + interval '1 hour');
insert into kept select d.* from test.route(sha256('caller/token'), '{"model": "model-a"}') as d;
select is(
    pg_temp.sent(k.request_id) #> '{0,own_keys}', to_jsonb(array[pg_temp.own('rival')]), 'one that rests is not tried'
)
from (select n.* from kept as n order by n.msg_id offset 1) as k;
insert into ops.key_health (provider_key_hk, refusals, last_error_class, last_refused_at, rests_until)
values (decode(pg_temp.own('rival'), 'hex'), 1, 'auth_dead', now(), now() + interval '1 hour');
insert into kept select d.* from test.route(sha256('caller/token'), '{"model": "model-a"}') as d;
select is(k.provider, 'maker', 'while all rest, the house''s price counts') from (select n.* from kept as n order by n.msg_id offset 2) as k;
update admin.provider_key set falls_back = false where customer = 'caller' and provider = 'rival' and key_name = 'second';
insert into ops.key_health (provider_key_hk, refusals, last_error_class, last_refused_at, rests_until)
values (decode(pg_temp.own('rival', p_name => 'second'), 'hex'), 1, 'auth_dead', now(), now() + interval '1 hour');
select ok(
    d.status = 'no_provider' and d.http_status = 503 and d.message like 'Your own key for ''rival/model-a'' was not taken%',
    'where one is not to be replaced, nothing is called'
)
from test.route(sha256('caller/token'), '{"model": "rival/model-a"}') as d;
select is(
    array(
        select e.line from pg_temp.explain('{"model": "rival/model-a", "prompt_tokens": 100, "max_output_tokens": 100}') as e (line)
        where e.line !~ '^refused'
    ),
    array['rival/model-a 0.00048 dropped: the customer''s own key was not taken, and does not fall back to the house''s'],
    'and explain_route says so'
);
update admin.provider_key set key_status = 'EXPIRED' where customer = 'caller' and provider = 'rival' and key_name = 'second';
select is(
    (test.route(sha256('caller/token'), '{"model": "rival/model-a"}')).status, 'no_provider', 'nor where it has expired'
);
delete from admin.provider_key as k where k.customer = 'caller' and k.provider = 'rival';
select is(
    pg_temp.sent((test.route(sha256('caller/token'), '{"model": "rival/model-a"}')).request_id) #> '{0,own_keys}', null,
    'a revoked key is as if it had never been'
);

select test.settle(test.decision(to_jsonb(k))) from kept as k;
select results_eq(
    'select r.is_same from kept as k cross join lateral admin.replay(k.request_id::uuid) as r', array[true, true, true],
    'decisions made again use the keys of then'
);
update gateway.api_request_s set decision = decision #- '{seen,resting_keys}'
where api_request_hk = (select uuid_send(k.request_id::uuid) from kept as k order by k.msg_id offset 2);
select is(r.is_same, false, 'and need to know what rested')
from (select n.request_id from kept as n order by n.msg_id offset 2) as k cross join lateral admin.replay(k.request_id::uuid) as r;
select ok(
    exists (select from admin.why(k.request_id::uuid) as w where w.sentence like '1. rival/%keys: own, then house%'),
    'why says whose key'
)
from (select n.* from kept as n order by n.msg_id limit 1) as k;
select lives_ok('select ops.fn_rebuild_hot_state()');
select is(
    (select count(*) from ops.principal as p where p.own_keys is not null and p.customer_bk <> 'caller'), 0::bigint,
    'nobody else has any'
);
select is(
    gateway.fn_open_own_keys(
        '{"maker": {"any": null, "models": {"a": {"keys": ["aa", "bb"], "stays": true}, "b": {"keys": ["aa"], "stays": false}}}}',
        now(), '{"resting_keys": ["aa"]}', null
    ),
    '{"/resting": ["aa"], "maker": {"any": null, "models": {
        "a": {"keys": ["bb"], "stays": true}, "b": {"keys": null, "stays": false}
    }}}', 'what rests is left out everywhere'
);
select * from finish();
rollback;
