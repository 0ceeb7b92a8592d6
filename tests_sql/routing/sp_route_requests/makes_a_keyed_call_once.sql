begin;
select plan(17);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('retrier', '{"markup_percent": 0, "cost_budget_daily": 10}');
select test.make_customer('other');
create function pg_temp.keyed(p_key text, p_body text, p_customer text default 'retrier', p_tokens integer default 5)
returns jsonb language sql as $$
    select jsonb_build_object(
        'digest', encode(sha256(convert_to(p_customer || '/token', 'UTF8')), 'hex'), 'ticket', repeat('00', 16),
        'surface', 'chat', 'capability', 'chat', 'prompt_bytes', 100, 'messages', 1, 'max_output_tokens', p_tokens,
        'idempotency', jsonb_build_array(jsonb_build_array(
            encode(sha256(convert_to(p_key, 'UTF8')), 'hex'), encode(sha256(convert_to(p_body, 'UTF8')), 'hex')
        ))
    );
$$;
create function pg_temp.ask(variadic p_calls jsonb[]) returns setof gateway.route_decision language sql as $$
    select jsonb_populate_record(null::gateway.route_decision, to_jsonb(r))
    from gateway.sp_route_requests(to_jsonb(p_calls), 'unix:/test', false) as r order by r.ordinal;
$$;

create temporary table first as select * from pg_temp.ask(pg_temp.keyed('a', 'x'), pg_temp.keyed('a', 'x'), pg_temp.keyed('a', 'y'));
select results_eq('select status, http_status from first', $$values ('routed', 200), ('idempotency_conflict', 409), ('idempotency_mismatch', 422)$$,
    'in one batch: made once, told, refused for another body');
select is((test.scope_of('retrier')).day_held_usd, 5.0000000000, 'one hold');
select is((select count(*) from pgmq.q_standard), 1::bigint, 'one message');
select is(detail::jsonb #>> '{request,status}', 'IN_FLIGHT', 'in flight') from pg_temp.ask(pg_temp.keyed('a', 'x'));
select is((select status from pg_temp.ask(pg_temp.keyed('a', 'x', 'other'))), 'routed', 'another customer''s key is another key');

select test.settle(test.decision(to_jsonb(f)), '{"output": 2}') from first as f where f.status = 'routed';
create temporary table again as select a.*, f.request_id as first_id from pg_temp.ask(pg_temp.keyed('a', 'x')) as a, first as f
where f.status = 'routed';
select is(status, 'idempotency_conflict', 'afterwards: the receipt') from again;
select is(detail::jsonb #>> '{request,request_id}', first_id, 'of that request') from again;
select is((detail::jsonb #>> '{request,cost,customer}')::numeric, 2.0000000000, 'with its cost as a number') from again;
select is(detail::jsonb #>> '{request,usage,output}', '2', 'and its usage') from again;
select is((select status from pg_temp.ask(pg_temp.keyed('a', 'y'))), 'idempotency_mismatch', 'another body still is refused');
select is((test.scope_of('retrier')).day_spent_usd, 2.0000000000, 'charged once');

-- A call that failed and cost nothing may be made again under its key.
create temporary table failed as select * from pg_temp.ask(pg_temp.keyed('b', 'x'));
select gateway.sp_read_messages(100, 60);
select gateway.sp_record_result(test.make_result(test.decision(to_jsonb(f)), '[]', '{"status": "ERROR", "class": "overloaded"}'))
from failed as f;
create temporary table retried as select * from pg_temp.ask(pg_temp.keyed('b', 'x'));
select is((select status from retried), 'routed', 'a failure that cost nothing is tried again');
select is((select status from pg_temp.ask(pg_temp.keyed('b', 'x'))), 'idempotency_conflict', 'once');

-- A refusal keeps no key.
select is((select status from pg_temp.ask(pg_temp.keyed('c', 'x', 'retrier', 500))), 'budget_exceeded', 'refused');
select is((select count(*) from ops.idempotency_key where key_digest = sha256('c')), 0::bigint, 'and forgotten');

update ops.idempotency_key set expires_at = now() - interval '1 second' where key_digest = sha256('a');
select is((select status from pg_temp.ask(pg_temp.keyed('a', 'z', 'retrier', 1))), 'routed', 'after a day it is a new key');
update ops.idempotency_key set expires_at = now() - interval '1 second' where key_digest = sha256('b');
select is(ops.fn_forget_idempotency_keys(), 2, 'and old ones are removed, another customer''s too');
select * from finish();
rollback;
