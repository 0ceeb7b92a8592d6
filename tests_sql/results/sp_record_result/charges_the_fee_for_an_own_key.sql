-- Mutants: the provider's cost charged to him who paid it himself, a negative markup that pays him, the fee for a call
-- that the house's key answered, a cost that stands in the house's column, a saving that his own bill made.
begin;
select plan(22);
select test.make_offer('maker', 'model-a', 3, 7);
select test.make_tenant('test tenant', '{"baseline_model": "model-a"}');
select test.make_customer('caller', '{"markup_percent": 12.5}');
select test.make_customer('friend', '{"markup_percent": -30}');
select admin.sp_set_provider_key('maker', null, 'default', sha256('house'), '\x01', 'k1', false);
select admin.sp_set_provider_key('maker', c.name, null, sha256('own'), '\x02', 'k1', false)
from (values ('caller'), ('friend')) as c (name);
create function pg_temp.key(p_customer text) returns text language sql as $$
    select encode(admin.sp_identify_provider_key('maker', p_customer, 'default'), 'hex');
$$;
create temporary table told (name text, decision jsonb, receipt jsonb);
create function pg_temp.tell(p_name text, p_customer text, p_attempts jsonb) returns void language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(sha256(convert_to(p_customer || '/token', 'UTF8')));
    v_attempts jsonb;
begin
    perform gateway.sp_read_messages(10, 30);
    select jsonb_agg(test.one_attempt(v_decision, a.attempt -> 'usage', a.attempt || jsonb_build_object('number', a.number))
        order by a.number) into v_attempts
    from jsonb_array_elements(p_attempts) with ordinality as a (attempt, number);
    insert into told values (
        p_name, to_jsonb(v_decision), gateway.sp_record_result(test.make_result(v_decision, v_attempts))
    );
end
$$;
select pg_temp.tell('own', 'caller', jsonb_build_array(jsonb_build_object(
    'key', pg_temp.key('caller'), 'usage', '{"input_uncached": 11, "output": 13}'::jsonb
)));
-- 11 x 3 + 13 x 7 are 124 millionths; 12.5 % of them 15.5.
select is(t.receipt -> 'cost', jsonb_build_object(
    'provider', '0', 'markup', '0.0000155', 'customer', '0.0000155', 'currency', 'USD', 'own_key', '0.000124'
), 'the fee, to the last digit') from told as t where t.name = 'own';
select is(
    (s.provider_cost, s.gateway_markup, s.customer_cost, s.own_key_cost)::text,
    '(0.0000000000,0.0000155000,0.0000155000,0.0001240000)', 'and so it is booked'
)
from gateway.api_request_s as s;
select is(
    (a.is_own_key, a.provider_key_hk = decode(pg_temp.key('caller'), 'hex'), a.provider_cost, a.own_key_cost, a.is_charged)::text,
    '(t,t,0.0000000000,0.0001240000,t)', 'with the key that was used'
)
from gateway.api_request_attempt_s as a;
select is(
    (r.provider_cost_usd, r.own_key_cost_usd, r.customer_cost_usd)::text, '(0.0000000000,0.0001240000,0.0000155000)',
    'reports tell both apart'
)
from business_vault.request_detail as r;
select is(
    (v.baseline_cost_usd, v.saved_usd)::text, '(0.0001395000,0.0000000000)', 'what he paid the provider is not saved'
)
from business_vault.savings as v;
select is(s.day_spent_usd, 0.0000155, 'budgets are charged the fee') from ops.scope_state as s
where s.scope_hk = util.hash_key('caller');
select is(s.day_held_usd, 0::numeric, 'and nothing is held') from ops.scope_state as s
where s.scope_hk = util.hash_key('caller');

select pg_temp.tell('fell back', 'caller', jsonb_build_array(
    jsonb_build_object('key', pg_temp.key('caller'), 'outcome', 'ERROR', 'class', 'auth_dead', 'http_status', 401, 'output_bytes', 0,
        'usage', null),
    jsonb_build_object('key', pg_temp.key(null), 'usage', '{"input_uncached": 11, "output": 13}'::jsonb)
));
select is(t.receipt -> 'cost', jsonb_build_object(
    'provider', '0.000124', 'markup', '0.0000155', 'customer', '0.0001395', 'currency', 'USD'
), 'answered by the house''s key, it costs the house''s price') from told as t where t.name = 'fell back';
select is(
    array(
        select (a.is_own_key, a.error_class, a.is_charged)::text from gateway.api_request_attempt_s as a
        where a.api_request_hk = uuid_send((t.decision ->> 'request_id')::uuid) order by a.attempt_number
    ), array['(t,auth_dead,f)', '(f,,t)'], 'both tries stand in the books'
)
from told as t where t.name = 'fell back';
delete from ops.key_health where true;

select pg_temp.tell('negative', 'friend', jsonb_build_array(jsonb_build_object(
    'key', pg_temp.key('friend'), 'usage', '{"input_uncached": 11, "output": 13}'::jsonb
)));
select is(t.receipt -> 'cost', jsonb_build_object(
    'provider', '0', 'markup', '0', 'customer', '0', 'currency', 'USD', 'own_key', '0.000124'
), 'a discount on nothing is nothing') from told as t where t.name = 'negative';
select is(
    gateway.fn_read_receipt(uuid_send((t.decision ->> 'request_id')::uuid), util.hash_key('friend'), false) -> 'cost',
    t.receipt -> 'cost', 'told again from the books, it is the same'
)
from told as t where t.name = 'negative';

-- A key of the house, or of another customer, that a worker would tell of is no key of his.
select pg_temp.tell('foreign', 'caller', jsonb_build_array(jsonb_build_object(
    'key', pg_temp.key('friend'), 'usage', '{"input_uncached": 11, "output": 13}'::jsonb
)));
select is(t.receipt #>> '{cost,customer}', '0.0001395', 'a key that was not decided on is not his')
from told as t where t.name = 'foreign';
select is(
    array(select f.finding from ops.foreign_row as f), array['was called with the own key of another customer'],
    'and would be found'
);
select is(
    array(select v.invariant from ops.invariant_violation as v), array['foreign_row'], 'all else is as it must be'
);

-- The worker is lost. What it told last says whose key flowed.
create function pg_temp.lose(p_key text) returns jsonb language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(sha256('caller/token'));
begin
    perform gateway.sp_read_messages(10, 30);
    update ops.reservation as r set
        told_offer = r.candidates -> 0 ->> 'offer', told_key = p_key, told_output_bytes = 400, request_state = 'streaming'
    where r.api_request_hk = uuid_send(v_decision.request_id::uuid);
    perform gateway.fn_close_request(uuid_send(v_decision.request_id::uuid), util.hash_key('caller'));
    return gateway.fn_read_receipt(uuid_send(v_decision.request_id::uuid), util.hash_key('caller'), false) -> 'cost';
end
$$;
-- 25 bytes' tokens of prompt at 3, 100 of output at 7: 775 millionths.
select is(pg_temp.lose(pg_temp.key('caller')) ->> 'own_key', '0.000775', 'a lost call by his key is his');
select is(pg_temp.lose(pg_temp.key(null)) ->> 'own_key', null, 'one by the house''s is not');
select is(pg_temp.lose(null) ->> 'own_key', null, 'nor is one without any');
create temporary table renewed as select to_jsonb(test.route(sha256('caller/token'))) as decision;
create temporary table held as select m.* from gateway.sp_read_messages(10, 30) as m;
select gateway.sp_renew_messages(jsonb_build_array(jsonb_build_object(
    'queue', h.queue, 'msg_id', h.msg_id, 'read_ct', h.read_ct, 'request', r.decision ->> 'request_id',
    'customer', encode(util.hash_key('caller'), 'hex'), 'offer', 'aa', 'key', 'bb', 'output_bytes', 0
)), 30) from held as h cross join renewed as r;
select is(v.told_key, 'bb', 'workers tell the key') from ops.reservation as v;

-- Planted: what must be found.
update gateway.api_request_attempt_s set provider_cost = 1, own_key_cost = 0 where is_own_key and is_charged;
select is(
    (select count(*) > 0 from ops.unbalanced_request as u where u.finding = 'costs another sum than its attempts'), true,
    'a cost of his in the house''s column is found'
);
update gateway.api_request_s as s set provider_cost = 1, gateway_markup = s.customer_cost - 1
where s.own_key_cost > 0;
select is(
    (select count(*) > 0 from ops.unbalanced_request as u where u.finding = 'costs another sum by own keys than its attempts'),
    true, 'so is a sum that differs'
);
update gateway.api_request_s as s set own_key_cost = 0 where s.own_key_cost > 0;
select is(
    (select count(*) > 0 from ops.unbalanced_request as u where u.finding = 'costs the house something by a customer''s own key'),
    true, 'so is both moved'
);
select is(p.own_keys #>> '{maker,any,keys,0}', pg_temp.key('friend'), 'everybody has his own')
from ops.principal as p where p.customer_bk = 'friend';
select * from finish();
rollback;
