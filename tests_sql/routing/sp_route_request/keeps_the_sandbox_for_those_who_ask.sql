begin;
select plan(4);
update ops.offer set unroutable_because = 'provider_inactive' where true;
select test.make_provider('play', '{"adapter_kind": "sandbox", "api_endpoint": "in-process"}');
select test.make_offer('play', 'toy', 0.001, 0.001);
select test.make_customer('newcomer');
select is((test.route(sha256('newcomer/token'))).provider, 'play', 'alone, it answers');
select test.make_offer('real', 'serious', 10, 10);
select is((test.route(sha256('newcomer/token'))).provider, 'real', 'beside a real one it does not, however cheap');
select is(
    (select count(*)::integer from pgmq.q_standard as q, jsonb_array_elements(q.message -> 'candidates') as c
        where q.msg_id = (select max(m.msg_id) from pgmq.q_standard as m) and c ->> 'kind' = 'sandbox'), 0,
    'and it is no way out either'
);
select is((test.route(sha256('newcomer/token'), '{"model": "toy"}')).provider, 'play', 'asked for by name, it answers');
select * from finish();
rollback;
